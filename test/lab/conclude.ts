/** The collector's own stages without sockets and rows: datagrams → decode → window → who serves whom. */
import { type KnownPort, makePortRanks } from "#domain/PortRank.ts"
import { makeDecoder } from "#pipeline/decode/Decoder.ts"
import { makeFlowBatch } from "#pipeline/decode/FlowBatch.ts"
import { makeTemplateCache } from "#pipeline/decode/TemplateCache.ts"
import { services } from "#pipeline/enrich/services.ts"
import { collapseSlice } from "#pipeline/resolve/collapse/collapse.ts"
import type { DeclaredEnds } from "#pipeline/resolve/collapse/decide-directions.ts"
import { makeOwners } from "#pipeline/resolve/collapse/duplicate.ts"
import type { CollapsedSlice } from "#pipeline/resolve/collapse/edges.ts"
import { makeServiceRegister } from "#pipeline/resolve/collapse/ServiceRegister.ts"
import { makeWindows } from "#pipeline/window/window.ts"

export interface Stages {
  /** A datagram of the exporter at that place of the list, heard at `atMs`. */
  readonly hear: (exporter: number, datagram: Uint8Array, atMs: number) => void
  /** What can be concluded from what was heard since the last time. */
  readonly conclude: (atMs: number) => ReadonlyArray<CollapsedSlice>
}

export interface StagesOptions {
  /** Ports that the operator named, and ends that were declared to serve. */
  readonly named?: ReadonlyArray<KnownPort>
  readonly declared?: DeclaredEnds
}

export const makeStages = (exporters: ReadonlyArray<string>, options: StagesOptions = {}): Stages => {
  const ranks = makePortRanks(services, options.named)
  const known = {
    ranks,
    owners: makeOwners(),
    register: makeServiceRegister(),
    ...(options.declared === undefined ? {} : { declared: options.declared })
  }
  const windows = makeWindows({
    boot: "00000000-0000-4000-8000-000000000000",
    worker: "worker-1",
    windowSeconds: 300,
    latenessSeconds: 60,
    ranks,
    seed: 5,
    exporter: (index) => ({ address: exporters[index]! })
  })
  const columns = { skewMs: new Float64Array(exporters.length), sampling: new Uint32Array(exporters.length) }
  const batch = makeFlowBatch()
  let heardMs = 0
  const drain = () => {
    windows.fold(batch, columns, heardMs)
    batch.length = 0
  }
  const decoder = makeDecoder({ templates: makeTemplateCache(), full: drain })
  return {
    hear: (exporter, datagram, atMs) => {
      heardMs = atMs
      decoder.decode(datagram, datagram.length, exporter, exporters[exporter]!, atMs, batch)
      drain()
    },
    conclude: (atMs) => windows.flush(atMs, 16).map((slice) => collapseSlice(slice, known))
  }
}
