// Analyses Kusto queries with Microsoft's own language service, against the tables that they read.
//
//   node kusto.mjs FOLDER < QUERIES     FOLDER holds the node_modules with @kusto/language-service-next; QUERIES is a JSON list of
//                                       { name, world, text }, where world is "component" or "workspace"
//
// Prints a line for each objection, and how many queries there were at the end.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { runInThisContext } from "node:vm";

// Application Insights shows the tables of a component by other names and columns than the workspace that holds them
// (Microsoft Learn, "Azure Monitor Logs table reference"). Only columns that a query may use are listed.
const common = "operation_Name: string, operation_Id: string, cloud_RoleName: string, cloud_RoleInstance: string, itemCount: int, customDimensions: dynamic";
const worlds = {
  component: {
    traces: `timestamp: datetime, message: string, severityLevel: int, ${common}`,
    requests: `timestamp: datetime, id: string, name: string, url: string, success: string, resultCode: string, duration: real, ${common}`,
  },
  workspace: {
    AZKVAuditLogs: "TimeGenerated: datetime, OperationName: string, ResultType: string, ResultSignature: string, CallerIpAddress: string, Id: string, RequestUri: string, Identity: dynamic, _ResourceId: string",
    AzureDiagnostics: "TimeGenerated: datetime, OperationName: string, ResultType: string, ResultSignature: string, ResourceProvider: string, Category: string, id_s: string, eventGridEventProperties_data_Id_s: string, _ResourceId: string",
    _LogOperation: "TimeGenerated: datetime, Operation: string, Level: string, Detail: string, Category: string, _ResourceId: string",
  },
};

globalThis.window = globalThis;
for (const file of ["bridge.min.js", "Kusto.Language.Bridge.min.js"]) {
  const path = join(process.argv[2], "node_modules/@kusto/language-service-next", file);
  runInThisContext(readFileSync(path, "utf8"), { filename: path });
}
const { GlobalState, KustoCode, Symbols } = globalThis.Kusto.Language;

// What queries are analysed against: a world's tables, as the only database.
const schema = (tables) => {
  const symbols = Object.entries(tables).map(([name, columns]) => new Symbols.TableSymbol.$ctor7(name, `(${columns})`, null));
  return GlobalState.Default.WithDatabase(new Symbols.DatabaseSymbol.$ctor1("logs", symbols));
};
const schemas = Object.fromEntries(Object.entries(worlds).map(([world, tables]) => [world, schema(tables)]));

const queries = JSON.parse(readFileSync(0, "utf8"));
for (const { name, world, text } of queries) {
  const objections = KustoCode.ParseAndAnalyze(text, schemas[world]).GetDiagnostics();
  for (let index = 0; index < objections.Count; index += 1) {
    const { Severity, Code, Message, Start } = objections.getItem(index);
    console.log(`${name}: ${Severity} ${Code}: ${Message} (at ${JSON.stringify(text.slice(Start, Start + 40))})`);
  }
}
console.log(`${queries.length} queries`);
