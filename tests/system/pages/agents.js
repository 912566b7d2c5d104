/**
 * An application of the agents SDK as its quickstart has it: one agent with one tool, and a session with every setting
 * as the SDK makes it. The same in a browser and in Node.
 *
 * @param sdk the SDK's module
 * @param options of the session, such as its transport where there is a choice
 * @param report is handed everything that the application is told, as objects with a `kind`
 * @param more tools that the agent has, such as those of an MCP server
 * @returns what a user of the application can do
 */
export function application({ RealtimeAgent, RealtimeSession, tool }, options, report, more = []) {
  const weather = tool({
    name: "get_weather",
    description: "Tells the weather in a city.",
    parameters: {
      type: "object",
      properties: { city: { type: "string" } },
      required: ["city"],
      additionalProperties: false,
    },
    execute: async ({ city }) => `sunny in ${city}`,
  });
  const agent = new RealtimeAgent({ name: "Weather frog", instructions: "Be brief.", tools: [weather, ...more] });
  const session = new RealtimeSession(agent, options);

  session.on("transport_event", (event) => report({ kind: "event", event }));
  session.on("history_updated", (history) => report({ kind: "history", history }));
  session.on("agent_tool_end", (_context, _agent, { name }, result) => report({ kind: "tool", name, result }));
  session.on("agent_end", (_context, _agent, words) => report({ kind: "answer", words }));
  session.on("audio", ({ data }) => report({ kind: "audio", bytes: data.byteLength }));
  const questions = [];
  session.on("tool_approval_requested", (_context, _agent, { approvalItem }) => {
    questions.push(approvalItem);
    report({ kind: "question", name: approvalItem.rawItem.name, arguments: approvalItem.rawItem.arguments });
  });
  session.on("mcp_tools_changed", (tools) => report({ kind: "tools", names: tools.map(({ name }) => name) }));
  session.on("audio_interrupted", () => report({ kind: "interrupted" }));
  session.on("error", ({ error }) => report({ kind: "error", error: error.message ?? error }));
  session.transport.on("connection_change", (status) => report({ kind: "connection", status }));

  return {
    connect: ({ key, url }) => session.connect({ apiKey: key, url }),
    ask: ({ words }) => session.sendMessage(words),
    say: ({ sound }) => {
      const samples = Uint8Array.from(atob(sound), (letter) => letter.charCodeAt(0)).buffer;
      for (let at = 0; at < samples.byteLength; at += 4800) session.sendAudio(samples.slice(at, at + 4800));
    },
    send: ({ event }) => session.transport.sendEvent(event),
    interrupt: () => session.interrupt(),
    approve: () => session.approve(questions.shift()),
    reject: () => session.reject(questions.shift()),
    close: () => session.close(),
  };
}
