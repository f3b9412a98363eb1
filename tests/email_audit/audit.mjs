// Print what html-validate and caniemail find in HTML files: `node audit.mjs FILE...`, one JSON object a line.
import { readFileSync } from "node:fs";
import { basename } from "node:path";

import { caniemail } from "caniemail";
import { HtmlValidate } from "html-validate";

const validator = new HtmlValidate({ root: true, extends: ["html-validate:recommended"] });

function* findings(html) {
  for (const result of validator.validateStringSync(html).results)
    for (const { ruleId, message, line } of result.messages) yield { tool: "html-validate", rule: ruleId, message, line };
  const { errors, warnings } = caniemail({ clients: ["*"], html }).issues;
  for (const [support, byClient] of [["not supported", errors], ["supported in part", warnings]])
    for (const [client, issues] of byClient)
      for (const { title, position } of issues)
        yield { tool: "caniemail", rule: title, message: `${support} by ${client}`, line: position?.start.line };
}

for (const file of process.argv.slice(2))
  for (const finding of findings(readFileSync(file, "utf8")))
    console.log(JSON.stringify({ file: basename(file), ...finding }));
