/** Captures of real exporters to start from, where they are: they are under other licences and never part of the project. */
import { existsSync, readdirSync } from "node:fs"
import { join } from "node:path"
import type { ExporterProtocol } from "#domain/Exporter.ts"
import { readCapture } from "../../apps/appliance/cli/capture.ts"

const shared = process.env["FLOWLENS_CORPUS"] ?? join(import.meta.dirname, "../../../shared")

/** At most so many datagrams of one capture: the first ones have its templates. */
const OF_EACH = 30

export const corpusDatagrams = (protocol: ExporterProtocol): ReadonlyArray<Uint8Array> => {
  const folder = join(shared, "corpus/flows", protocol)
  if (!existsSync(folder)) return []
  return readdirSync(folder)
    .filter((name) => name.endsWith(".pcap") || name.endsWith(".dat"))
    .flatMap((name) =>
      readCapture(join(folder, name), name.endsWith(".ipfix.dat") ? "message-stream" : undefined).slice(0, OF_EACH)
    )
    .map(({ payload }) => payload)
    .filter(({ length }) => length > 0)
}
