// The floor of the benches: the least a Node program can do to print a model's answer. An .mjs file, node:http, no dependency.
import { request } from "node:http";

const post = request(
  process.argv[2],
  { method: "POST", headers: { "content-type": "application/json", authorization: "Bearer k" } },
  (response) => {
    response.setEncoding("utf8");
    let rest = "";
    response.on("data", (text) => {
      const lines = (rest + text).split("\n");
      rest = lines.pop();
      for (const line of lines) {
        if (!line.startsWith("data: ") || line === "data: [DONE]") continue;
        process.stdout.write(JSON.parse(line.slice(6)).choices[0]?.delta.content ?? "");
      }
    });
  },
);
post.end(
  JSON.stringify({ model: "model", stream: true, messages: [{ role: "user", content: "hi" }] }),
);
