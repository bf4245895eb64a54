/** The whole appliance, started as people start it, hears an exporter nobody here wrote; its rows are what ran. */
import { createSocket } from "node:dgram"
import { chmodSync, mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { type ExporterKind, exporterKinds } from "./exporters.ts"
import { missing, runLabs } from "./Lab.ts"
import { daemon, run } from "./processes.ts"
import type { LabDependency } from "./traffic.ts"

const freePort = Effect.callback<number>((resume) => {
  const socket = createSocket("udp4")
  socket.bind(0, () => {
    const { port } = socket.address()
    socket.close(() => resume(Effect.succeed(port)))
  })
})

const main = join(import.meta.dirname, "../../apps/appliance/main.ts")

const startAppliance = Effect.gen(function* () {
  const folder = yield* Effect.acquireRelease(
    Effect.sync(() => mkdtempSync(join(tmpdir(), "flowlens-lab-appliance-"))),
    (path) => Effect.sync(() => rmSync(path, { recursive: true, force: true }))
  )
  chmodSync(folder, 0o755)
  const data = join(folder, "data")
  const [netflow, ipfix, sflow] = yield* Effect.all([freePort, freePort, freePort])
  const knobs = {
    DATA: data,
    API_PORT: 0,
    INGESTION_NETFLOW_PORT: netflow,
    INGESTION_IPFIX_PORT: ipfix,
    INGESTION_SFLOW_PORT: sflow,
    AGGREGATION_FLUSH_INTERVAL_SECONDS: 2
  }
  yield* daemon(
    ["env", ...Object.entries(knobs).map(([knob, value]) => `FLOWLENS_${knob}=${value}`), process.execPath, main, "start"],
    (output) => Effect.succeed(output.includes("is running"))
  )
  const query = (sql: string) =>
    Effect.map(run("psql", "-X", "-h", join(data, "postgres"), "-U", "flowlens", "-d", "flowlens", "-At", "-c", sql), (text) =>
      text.split("\n").filter((line) => line !== "")
    )
  return { ports: { netflow5: netflow, netflow9: netflow, ipfix, sflow5: sflow }, query }
})

const columns = "host(source_address) || ' → ' || host(target_address) || ':' || port || '/' || protocol"

type Appliance = Effect.Success<typeof startAppliance>

const holds = Effect.fnUntraced(function* ({ query }: Appliance, ran: ReadonlyArray<LabDependency>) {
  const expected = ran.map((d) => `${d.client} → ${d.server}:${d.port}/${d.protocol}`).sort()
  const active = query(`SELECT ${columns} FROM dependencies WHERE protocol IN (6, 17) AND status = 'active'`)
  for (let i = 0; i < 20 && (yield* active).length < expected.length; i++) yield* Effect.sleep("1 second")
  // One more slice, for what must not be there
  yield* Effect.sleep("3 seconds")
  assert.deepStrictEqual([...(yield* active)].sort(), expected)
  assert.deepStrictEqual([...(yield* query(`SELECT ${columns} FROM dependencies WHERE protocol IN (6, 17)`))].sort(), expected)
  // The first dependency carries the tail, of which an exporter sees what it sees
  for (const d of ran.slice(1)) {
    if (d.payloadToClient === 0) continue
    const bytesNow = query(
      `SELECT bytes_to_client FROM dependencies WHERE source_address = '${d.client}' AND target_address = '${d.server}' AND port = ${d.port}`
    ).pipe(Effect.map(([bytes]) => Number(bytes ?? 0)))
    // what was known already is folded into its row some seconds later
    for (let i = 0; i < 30 && (yield* bytesNow) <= d.payloadToClient; i++) yield* Effect.sleep("1 second")
    const bytes = yield* bytesNow
    assert.isAbove(bytes, d.payloadToClient)
    assert.isBelow(bytes, d.payloadToClient * 1.08)
  }
})

describe("the appliance, in the namespace lab,", () => {
  const kinds = ["softflowd-v9", "pmacctd-ipfix"] as const satisfies ReadonlyArray<ExporterKind>
  const lacking = [...new Set(kinds.flatMap((kind) => missing(kind)))]
  const name = `draws what ran and nothing else, and its volumes, from what ${kinds.join(" sends, and another from what ")} sends`
  if (lacking.length > 0) it.skip(`${name} (skipped: needs ${lacking.join(", ")})`, () => undefined)
  else {
    it.live(
      name,
      () =>
        Effect.gen(function* () {
          const appliances = yield* Effect.forEach(kinds, () => startAppliance, { concurrency: "unbounded" })
          const { dependencies } = yield* Effect.scoped(
            runLabs(
              kinds.map((exporter, i) => ({ exporter, collectorPort: appliances[i]!.ports[exporterKinds[exporter].protocol] }))
            )
          )
          yield* Effect.forEach(appliances, (appliance) => holds(appliance, dependencies), { concurrency: "unbounded" })
        }).pipe(Effect.scoped),
      180_000
    )
  }
})
