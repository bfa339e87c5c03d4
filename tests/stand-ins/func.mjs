#!/usr/bin/env node
// Stands in for Azure Functions Core Tools where they cannot be had: `func start --port N` as `cargo xtask func` meets it. It proves
// that command's own side (arguments, settings, waiting, cleaning up), and nothing of Microsoft's host. FAULTS names, by commas, what it
// does wrong: ends, chunks, timers, list, lingers.
//
// Rules: azure-functions-core-tools, StartHostAction.cs; azure-functions-host, FunctionsController.cs and HostController.cs.
import { spawn } from "node:child_process";
import { readFileSync, readdirSync } from "node:fs";
import http from "node:http";
import net from "node:net";

const faults = (process.env.FAULTS ?? "").split(",");
const refuse = (why) => {
  console.error(why);
  process.exit(1);
};
const json = (file) => JSON.parse(readFileSync(file, "utf8"));

const [verb, option, port, ...more] = process.argv.slice(2);
if (verb !== "start" || option !== "--port" || !/^\d+$/.test(port ?? "") || more.length > 0) refuse("unknown arguments");
console.log("Azure Functions Core Tools (a stand-in)");
if (faults.includes("ends")) refuse("this one ends");

const { IsEncrypted, Values } = json("local.settings.json");
if (IsEncrypted !== false) refuse("the settings are encrypted");
if ("WEBSITE_HOSTNAME" in Values) refuse("An item with the same key has already been added. Key: WEBSITE_HOSTNAME");
if (Values.FUNCTIONS_WORKER_RUNTIME !== "custom") refuse("Worker runtime is not custom");
for (const [name, value] of Object.entries(Values)) {
  if (typeof value !== "string") refuse(`${name} is no text`);
  if (process.env[name]) console.log(`Skipping '${name}' from local settings as it's already defined in current environment variables.`);
  else process.env[name] = value;
}
process.env.WEBSITE_HOSTNAME = `localhost:${port}`;

const host = json("host.json");
const functions = new Map();
for (const entry of readdirSync(".", { withFileTypes: true })) {
  if (!entry.isDirectory()) continue;
  const { bindings } = json(`${entry.name}/function.json`);
  const trigger = bindings.find((binding) => binding.direction === "in");
  const isDisabled = process.env[`AzureWebJobs.${entry.name}.Disabled`] === "true";
  if (trigger.type === "serviceBusTrigger" && !isDisabled) refuse(`${entry.name}: there is no Service Bus`);
  functions.set(entry.name, { trigger, isDisabled });
}

const free = () =>
  new Promise((resolve) => {
    const server = net.createServer().listen(0, "127.0.0.1", () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
const ask = (options, body) =>
  new Promise((resolve, reject) => {
    const request = http.request(options, resolve).on("error", reject);
    if (body?.pipe) body.pipe(request);
    else request.end(body);
  });

let state = "Initializing";
const worker = await free();
const serve = async (request, response) => {
  const { pathname } = new URL(request.url, "http://localhost");
  const say = (status, value) => {
    response.writeHead(status, { "content-type": "application/json" });
    response.end(value === undefined ? "" : JSON.stringify(value));
  };
  if (pathname === "/admin/host/status") return say(200, { state, version: "0.0.0.0", extensionBundle: { version: "0.0.0" } });
  if (state !== "Running") return say(503);
  if (pathname === "/admin/functions") {
    const all = [...functions].map(([name, it]) => ({ name, isDisabled: it.isDisabled }));
    return say(200, faults.includes("list") ? all.slice(1) : all);
  }
  const [, name, status] = /^\/admin\/functions\/([^/]+)(\/status)?$/.exec(pathname) ?? [];
  if (name && !functions.has(name)) return say(404);
  if (status) return say(200, {});
  if (name && request.method === "POST") {
    const { trigger } = functions.get(name);
    const schedule = { AdjustForDST: true };
    const call = { Data: { [trigger.name]: { Schedule: schedule, ScheduleStatus: null, IsPastDue: false } }, Metadata: {} };
    request.resume();
    say(202);
    if (faults.includes("timers")) return;
    const headers = { "content-type": "application/json; charset=utf-8", "x-azure-functions-invocationid": crypto.randomUUID() };
    const answer = await ask({ port: worker, host: "127.0.0.1", method: "POST", path: `/${name}`, headers }, JSON.stringify(call));
    console.log(`Executed 'Functions.${name}': ${answer.statusCode}`);
    return answer.resume();
  }
  const isRoute = [...functions.values()].some(
    ({ trigger }) => trigger.type === "httpTrigger" && `/api/${trigger.route}` === pathname && trigger.methods.includes(request.method.toLowerCase()),
  );
  if (!isRoute) return say(404);
  const headers = { ...request.headers, "x-azure-functions-invocationid": crypto.randomUUID() };
  const isLost = faults.includes("chunks") && "transfer-encoding" in headers;
  if (isLost) delete headers["transfer-encoding"];
  const answer = await ask(
    { port: worker, host: "127.0.0.1", method: request.method, path: request.url, headers },
    isLost ? "" : request,
  );
  response.writeHead(answer.statusCode, answer.headers);
  answer.pipe(response);
};
http.createServer((request, response) => serve(request, response).catch(() => response.destroy())).listen(Number(port), "127.0.0.1");

// The host keeps its state in Blob Storage and does not run without.
const [, endpoint] = /BlobEndpoint=([^;]+)/.exec(process.env.AzureWebJobsStorage) ?? refuse("Missing value for AzureWebJobsStorage");
(await ask(endpoint)).resume();
const handler = spawn(`./${host.customHandler.description.defaultExecutablePath}`, {
  env: { ...process.env, FUNCTIONS_CUSTOMHANDLER_PORT: String(worker) },
  stdio: ["ignore", "inherit", "inherit"],
});
handler.on("exit", (code) => refuse(`the handler ended with ${code}`));
for (;;) {
  try {
    (await ask(`http://127.0.0.1:${worker}/`)).resume();
    break;
  } catch {
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}
if (faults.includes("lingers")) spawn("sleep", ["20"], { detached: true, stdio: ["ignore", "inherit", "inherit"] });
state = "Running";
console.log("Host started");
