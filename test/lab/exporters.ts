/** Exporters nobody here wrote, watching the lab's router. */
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { Effect, type Scope } from "effect"
import type { ExporterProtocol } from "#domain/Exporter.ts"
import type { Network } from "./network.ts"
import { daemon, type LabFault, type Running } from "./processes.ts"

interface Kind {
  readonly program: "softflowd" | "pmacctd"
  readonly protocol: ExporterProtocol
  readonly sampling: number
  /** Both directions in one record (RFC 5103). */
  readonly biflow?: boolean
}

/** Named by maker and format. sfprobe takes one packet of four. */
export const exporterKinds = {
  "softflowd-v5": { program: "softflowd", protocol: "netflow5", sampling: 1 },
  "softflowd-v9": { program: "softflowd", protocol: "netflow9", sampling: 1 },
  "softflowd-ipfix": { program: "softflowd", protocol: "ipfix", sampling: 1 },
  "softflowd-ipfix-biflow": { program: "softflowd", protocol: "ipfix", sampling: 1, biflow: true },
  "pmacctd-v9": { program: "pmacctd", protocol: "netflow9", sampling: 1 },
  "pmacctd-ipfix": { program: "pmacctd", protocol: "ipfix", sampling: 1 },
  "pmacctd-sflow": { program: "pmacctd", protocol: "sflow5", sampling: 4 }
} as const satisfies Record<string, Kind>

export type ExporterKind = keyof typeof exporterKinds

const versions: Record<ExporterProtocol, number> = { netflow5: 5, netflow9: 9, ipfix: 10, sflow5: 0 }

/** Short timeouts: the lab lasts seconds. */
const softflowdTimeouts = ["maxlife=4", "general=1", "tcp=2", "tcp.fin=1", "tcp.rst=1", "udp=1", "icmp=1", "expint=1"]

/** Watches until it is stopped; when stopped it sends what it still has. */
export const startExporter = (
  name: ExporterKind,
  network: Network,
  collector: string
): Effect.Effect<Running, LabFault, Scope.Scope> => {
  const kind: Kind = exporterKinds[name]
  if (kind.program === "softflowd") {
    const timeouts = softflowdTimeouts.flatMap((timeout) => ["-t", timeout])
    const files = ["-p", join(network.folder, `${name}.pid`), "-c", join(network.folder, `${name}.ctl`)]
    const argv = [
      "softflowd",
      "-d",
      "-i",
      network.watched,
      "-v",
      String(versions[kind.protocol]),
      "-n",
      collector,
      ...timeouts,
      ...files
    ]
    if (kind.biflow === true) argv.push("-b")
    return daemon(network.at("router", ...argv), (output) => Effect.succeed(/exporting|Using/i.test(output)))
  }
  const path = join(network.folder, `${name}.conf`)
  writeFileSync(path, pmacctdConfiguration(kind, join(network.folder, `${name}.pid`), network.watched, collector))
  return daemon(network.at("router", "pmacctd", "-f", path), (output) => Effect.succeed(/link type is/.test(output)))
}

const pmacctdConfiguration = ({ protocol, sampling }: Kind, pidFile: string, watched: string, collector: string): string =>
  [
    "daemonize: false",
    `pidfile: ${pidFile}`,
    `pcap_interface: ${watched}`,
    "aggregate: src_host,dst_host,src_port,dst_port,proto,tos",
    ...(protocol === "sflow5"
      ? ["plugins: sfprobe", `sfprobe_receiver: ${collector}`, `sampling_rate: ${sampling}`]
      : [
          "plugins: nfprobe",
          `nfprobe_receiver: ${collector}`,
          `nfprobe_version: ${versions[protocol]}`,
          "nfprobe_timeouts: tcp=2:tcp.rst=1:tcp.fin=1:udp=1:icmp=1:general=1:maxlife=4:expint=1"
        ]),
    ""
  ].join("\n")
