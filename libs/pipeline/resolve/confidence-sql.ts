/**
 * `confidence` (confidence.ts) and `directionMargin` (direction.ts) in SQL, so that 50,000 rows are judged where they lie. The weights
 * come from there; a test compares the stored figures with those functions.
 */
import { Effect } from "effect"
import type { SqlClient, Statement } from "effect/sql"
import { fullFanIn, synHalf, directionWeights as weights } from "#domain/direction.ts"

/** SQL expressions of the terms. */
export interface TermColumns {
  readonly records: string
  readonly windows: string
  readonly bothDirections: string
  readonly exporters: string
  readonly direction: string
  readonly sampled: string
}

/** SQL expressions of the evidence. */
export interface EvidenceColumns {
  readonly synForward: string
  readonly synReverse: string
  readonly synAckForward: string
  readonly synAckReverse: string
  readonly beganForward: string
  readonly beganReverse: string
  readonly portRank: string
  readonly fanIn: string
  readonly fanInAgainst: string
  readonly clientPorts: string
  readonly history: string
  readonly companion: string
  readonly declared: string
}

/** Fractions in a CASE are said to be `float8`: as `numeric` they are converted row by row. */
export const confidenceSql = (terms: TermColumns): string => {
  const amount = `0.6 * ((${terms.records})::float8 / ((${terms.records}) + 4)) + 0.4 * ((${terms.windows})::float8 / ((${terms.windows}) + 1))`
  const seen = `1 - (1 - (${amount})) * CASE WHEN ${terms.bothDirections} THEN 0.5::float8 ELSE 1 END * CASE WHEN ${terms.exporters} > 1 THEN 0.8::float8 ELSE 1 END`
  const capped = `LEAST(CASE WHEN ${terms.sampled} AND NOT ${terms.bothDirections} THEN 0.9::float8 ELSE 1 END, ${seen})`
  return `(${capped}) * (0.5 + 0.5 * ${terms.direction})`
}

const balance = (forward: string, reverse: string, half = 1) =>
  `((${forward}) - (${reverse}))::float8 / ((${forward}) + (${reverse}) + ${half}::float8)`

const fanInSql = (peers: string) =>
  `(${weights.fanIn} * ln(LEAST(${fullFanIn}, GREATEST(1, ${peers}))::float8) / ${Math.log(fullFanIn)}::float8)`
const saturated = (n: string) => `((${n})::float8 / (abs(${n}) + 2))`

/** Log-odds of the evidence, whatever is declared. */
export const oddsSql = (evidence: Omit<EvidenceColumns, "declared">): string =>
  `(${[
    `${weights.syn} * ${balance(evidence.synForward, evidence.synReverse, synHalf)}`,
    `${weights.synAck} * ${balance(evidence.synAckForward, evidence.synAckReverse)}`,
    `${weights.began} * ${balance(evidence.beganForward, evidence.beganReverse)}`,
    `${weights.portRank} * (${evidence.portRank})`,
    fanInSql(evidence.fanIn),
    `-${fanInSql(evidence.fanInAgainst)}`,
    `${weights.clientPorts} * ${saturated(evidence.clientPorts)}`,
    `${weights.history} * ${saturated(evidence.history)}`,
    `CASE WHEN ${evidence.companion} THEN ${weights.companion}::float8 ELSE 0 END`
  ].join(" + ")})`

export const directionSql = (evidence: EvidenceColumns): string =>
  `CASE WHEN ${evidence.declared} THEN 1::float8 ELSE tanh(${oddsSql(evidence)} / 2) END`

/** Evidence as `dependencies` has it; `of` is its alias. */
export const storedEvidence = (of: string): EvidenceColumns => ({
  synForward: `${of}.syn_forward`,
  synReverse: `${of}.syn_reverse`,
  synAckForward: `${of}.syn_ack_forward`,
  synAckReverse: `${of}.syn_ack_reverse`,
  beganForward: `${of}.began_forward`,
  beganReverse: `${of}.began_reverse`,
  portRank: `${of}.port_rank`,
  fanIn: `${of}.fan_in`,
  fanInAgainst: `${of}.fan_in_against`,
  clientPorts: `${of}.client_ports`,
  history: `${of}.history`,
  companion: `${of}.companion`,
  declared: `${of}.declared`
})

/** Computes margin and confidence of stored dependencies anew, after their evidence was changed. */
export const judgeAnew = Effect.fnUntraced(function* (sql: SqlClient.SqlClient, these: Statement.Fragment) {
  const confidence = confidenceSql({
    records: "total_flows",
    windows: "windows",
    bothDirections: "both_directions",
    exporters: "exporters",
    direction: "direction_weight",
    sampled: "sampling > 1"
  })
  yield* sql`UPDATE dependencies d SET direction_weight = ${sql.literal(directionSql(storedEvidence("d")))} WHERE ${these}`
  yield* sql`UPDATE dependencies d SET confidence = ${sql.literal(confidence)}, updated_at = now() WHERE ${these}`
})
