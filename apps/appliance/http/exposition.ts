/** Prometheus text exposition, version 0.0.4: families with their samples, escaped as the format asks. */
export type Labels = Readonly<Record<string, string>>
export type Sample = readonly [labels: Labels, value: number | bigint]

export interface Family {
  /** Without the prefix `flowlens_`; a counter ends in `_total`, a unit is spelled out (`_seconds`, `_bytes`). */
  readonly name: string
  readonly type: "counter" | "gauge"
  readonly help: string
  readonly samples: ReadonlyArray<Sample>
}

const escapeHelp = (text: string) => text.replaceAll("\\", "\\\\").replaceAll("\n", "\\n")
const escapeLabel = (text: string) => escapeHelp(text).replaceAll('"', '\\"')

const number = (value: number | bigint) =>
  typeof value === "bigint"
    ? value.toString()
    : Number.isNaN(value)
      ? "NaN"
      : value === Number.POSITIVE_INFINITY
        ? "+Inf"
        : value === Number.NEGATIVE_INFINITY
          ? "-Inf"
          : String(value)

const labelText = (labels: Labels) => {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escapeLabel(value)}"`)
  return pairs.length === 0 ? "" : `{${pairs.join(",")}}`
}

/** A family without a sample is left out. */
export const exposition = (families: ReadonlyArray<Family>): string =>
  families
    .filter(({ samples }) => samples.length > 0)
    .map(({ name, type, help, samples }) =>
      [
        `# HELP flowlens_${name} ${escapeHelp(help)}`,
        `# TYPE flowlens_${name} ${type}`,
        ...samples.map(([labels, value]) => `flowlens_${name}${labelText(labels)} ${number(value)}`)
      ].join("\n")
    )
    .join("\n")
    .concat("\n")
