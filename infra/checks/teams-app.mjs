// Judges manifests of Teams apps by Microsoft's own schema of the version that each names.
//
//   node teams-app.mjs FOLDER < MANIFESTS    FOLDER holds the node_modules with @microsoft/app-manifest; MANIFESTS is a JSON list
//
// Prints for each a list of objections, as JSON.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join, resolve } from "node:path";

const schemas = join(resolve(process.argv[2]), "node_modules/@microsoft/app-manifest/build/json-schemas/teams");
const required = createRequire(join(schemas, "index.js"));
const Validator = required("ajv-draft-04").default;
// What the schema calls a format is known to no validator of draft 04 by itself.
const validator = new Validator({ allErrors: true, formats: { uri: (text) => URL.canParse(text) }, strictTypes: false });
const compiled = {};

for (const manifest of JSON.parse(readFileSync(0, "utf8"))) {
  const version = `v${manifest.manifestVersion}`;
  const file = join(schemas, version, "MicrosoftTeams.schema.json");
  const validate = (compiled[version] ??= validator.compile(JSON.parse(readFileSync(file, "utf8"))));
  validate(manifest);
  console.log(JSON.stringify((validate.errors ?? []).map(({ instancePath, message }) => `${instancePath}: ${message}`)));
}
