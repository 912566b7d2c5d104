// The application of pages/agents.js in Node. Told what to do on its input, one JSON object a line; says on its output
// what comes of it, in the same way. Its arguments are MCP servers, as JSON.
import { createInterface } from "node:readline";
import { hostedMcpTool } from "@openai/agents-core";
import * as sdk from "@openai/agents-realtime";
import { application } from "./pages/agents.js";

const report = (told) => process.stdout.write(`${JSON.stringify(told)}\n`);
const servers = process.argv.slice(2).map((server) => hostedMcpTool(JSON.parse(server)));
const acts = application(sdk, { transport: "websocket" }, report, servers);

for await (const line of createInterface({ input: process.stdin })) {
  const { act, ...how } = JSON.parse(line);
  try {
    await acts[act](how);
    report({ kind: "acted", act });
  } catch (error) {
    report({ kind: "refused", act, message: error.message });
  }
}
