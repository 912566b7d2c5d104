// Holds events, one a line on the input, to the schema by which the agents SDK reads them. Says which do not fit: the SDK
// would let them pass as events that it does not know, and do nothing about them.
import { createInterface } from "node:readline";
// The package keeps its schema to itself, but not its files.
import { realtimeServerEventSchema } from "../../node_modules/@openai/agents-realtime/dist/openaiRealtimeEvents.mjs";

for await (const line of createInterface({ input: process.stdin })) {
  const { success, error } = realtimeServerEventSchema.safeParse(JSON.parse(line));
  if (!success) console.log(`${line}\n${error.message}`);
}
