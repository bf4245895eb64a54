/** The whole appliance, started as people start it, hears an exporter nobody here wrote; its rows are what ran. */
import { assert, describe } from "@effect/vitest"
import { Effect } from "effect"
import { type Appliance, sleep, startAppliance, until } from "../corridor/Appliance.ts"
import { type ExporterKind, exporterKinds } from "./exporters.ts"
import { itInLab, missing, runLabs } from "./Lab.ts"
import { HEADERS, type LabDependency, label } from "./traffic.ts"

interface Row {
  readonly client: string
  readonly server: string
  readonly port: number
  readonly protocol: number
  readonly status: string
  readonly bytes: number
}

const rowsOf = (appliance: Appliance) =>
  appliance.rows<Row>(
    `SELECT host(source_address) AS client, host(target_address) AS server, port, protocol, status, bytes_to_client::float8 AS bytes
     FROM dependencies WHERE protocol IN (6, 17)`
  )

const holds = async (appliance: Appliance, ran: ReadonlyArray<LabDependency>) => {
  const expected = ran.map(label).sort()
  const active = async () => (await rowsOf(appliance)).filter(({ status }) => status === "active")
  await until("everything that ran is there", async () => (await active()).length >= expected.length).catch(() => undefined)
  // one more slice, for what must not be there
  await sleep(3000)
  assert.deepStrictEqual((await active()).map(label).sort(), expected)
  assert.lengthOf(await rowsOf(appliance), expected.length)
  // The first dependency carries the tail, of which an exporter sees what it sees
  for (const d of ran.slice(1).filter(({ payloadToClient }) => payloadToClient > 0)) {
    // what was known already is folded into its row some seconds later
    const bytes = async () => (await rowsOf(appliance)).find((row) => label(row) === label(d))!.bytes
    await until("its volume is there", async () => (await bytes()) > d.payloadToClient).catch(() => undefined)
    assert.isAbove(await bytes(), d.payloadToClient, label(d))
    assert.isBelow(await bytes(), d.payloadToClient * HEADERS, label(d))
  }
}

describe("the appliance, in the namespace lab,", () => {
  const kinds = ["softflowd-v9", "pmacctd-ipfix"] as const satisfies ReadonlyArray<ExporterKind>
  itInLab(
    `draws what ran and nothing else, and its volumes, from what ${kinds.join(" sends, and another from what ")} sends`,
    [...new Set(kinds.flatMap((kind) => missing(kind)))],
    () =>
      Effect.gen(function* () {
        const appliances = yield* Effect.promise(() =>
          Promise.all(kinds.map(() => startAppliance({ AGGREGATION_FLUSH_INTERVAL_SECONDS: 2 })))
        )
        const portOf = (kind: ExporterKind, { ports }: Appliance) => {
          const { protocol } = exporterKinds[kind]
          return protocol === "ipfix" ? ports.ipfix : protocol === "sflow5" ? ports.sflow : ports.netflow
        }
        const { dependencies } = yield* Effect.scoped(
          runLabs(kinds.map((exporter, i) => ({ exporter, collectorPort: portOf(exporter, appliances[i]!) })))
        )
        for (const appliance of appliances) yield* Effect.promise(() => holds(appliance, dependencies))
      })
  )
})
