/** Writes `docs/configuration.md` from the table, so that the page cannot lag behind the program. Pure. */
import type { Knob, Section } from "./knob.ts"
import { knobsOf, variableOf } from "./resolve.ts"

const introduction = `# Configuration

Generated from \`apps/appliance/config.ts\`; edit that file, then run \`FLOWLENS_UPDATE=1 npx vitest run apps/appliance/config\`.

FlowLens runs without any configuration. What you set comes from two places:

- **One YAML file**, \`flowlens.yaml\` in the data folder, or the one named by \`--config\`.
- **Variables**, one for each knob: \`FLOWLENS_\`, then section and knob in capitals. A variable wins over the file.

The data folder itself is \`./.flowlens\` unless \`FLOWLENS_DATA\` says otherwise.

A bad value, an unknown knob or an unknown \`FLOWLENS_\` variable stops the start. Every problem is told at once, with the knob, the
value, what is allowed, and the line of the file or the variable:

\`\`\`
EXAMPLE_PROBLEM
\`\`\`

\`flowlens config check\` prints the configuration as it is resolved, with the place each value comes from and without secrets; it exits
with 1 and the problems when something is wrong. \`--json\` gives the same to programs. A change takes effect at the next start.

## Example

\`\`\`yaml
EXAMPLE_FILE
\`\`\`
`

/** Shown on the page; a test resolves the file without a problem and the other with exactly this one. */
export const exampleFile = `ingestion:
  bind_address: 192.0.2.10
  netflow_port: 9995
  receive_buffer_size: 64 MiB
classification:
  internal_ranges: [10.0.0.0/8, 198.51.100.0/24]
services:
  - { port: 8045, protocol: tcp, name: our-erp }
log:
  format: text`

export const exampleProblem = {
  file: "ingestion:\n  netflow_port: 99999\n",
  message: "ingestion.netflow_port cannot be 99999 (flowlens.yaml:2); allowed: a whole number from 0 to 65535"
}

const cell = (text: string): string => text.replaceAll("|", "\\|")

const row = ([name, knob]: readonly [string, Knob<unknown>]): string => {
  const initial = knob.show(knob.default)
  return `| \`${name}\` | ${cell(initial)} | ${cell(knob.description)} | ${cell(knob.allowed)} | \`${variableOf(name)}\` |`
}

const table = (knobs: ReadonlyArray<readonly [string, Knob<unknown>]>): string =>
  ["| knob | default | what it is for | allowed | variable |", "| --- | --- | --- | --- | --- |", ...knobs.map(row)].join("\n")

export const referencePage = (section: Section): string => {
  const topLevel = Object.entries(section.knobs).filter((pair): pair is [string, Knob<unknown>] => pair[1]._tag === "knob")
  const sections = Object.entries(section.knobs).filter((pair): pair is [string, Section] => pair[1]._tag === "section")
  return `${[
    introduction.replace("EXAMPLE_PROBLEM", exampleProblem.message).replace("EXAMPLE_FILE", exampleFile).trimEnd(),
    `## Knobs outside sections\n\n${table(topLevel)}`,
    ...sections.map(([name, child]) => `## ${name}\n\n${child.description}.\n\n${table(knobsOf(child, name))}`)
  ].join("\n\n")}\n`
}
