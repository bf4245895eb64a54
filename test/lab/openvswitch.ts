/**
 * Open vSwitch in user space (no kernel module) as the clients' switch, which exports NetFlow v5, IPFIX and sFlow of its own. Its
 * daemons run in the router's namespace with all their files in one folder.
 */
import { mkdirSync } from "node:fs"
import { join } from "node:path"
import { Effect, type Scope } from "effect"
import type { Switch } from "./network.ts"
import { daemon, type LabFault, run } from "./processes.ts"

export const openvswitchPrograms = ["ovsdb-tool", "ovsdb-server", "ovs-vsctl", "ovs-vswitchd", "ovs-appctl"] as const

export interface OpenVswitch extends Switch {
  /** One record a second or two of what it forwards, unsampled. */
  readonly exportIpfix: (collector: string) => Effect.Effect<void, LabFault>
  readonly stopIpfix: Effect.Effect<void, LabFault>
  /**
   * Everything at once; sampling is of packets, one of so many, for sFlow only. IPFIX records come twice, for the interface where the
   * packets came in (IE 61 flowDirection 0) and for the one where they went out (1).
   */
  readonly exportTo: (collectors: {
    readonly netflow5: string
    readonly ipfix: string
    readonly sflow: string
    readonly sampling: number
    /** Interface whose address names the switch in sFlow. */
    readonly agent: string
  }) => Effect.Effect<void, LabFault>
}

export const startOpenVswitch = (
  folder: string,
  namespace: string,
  bridge: string
): Effect.Effect<OpenVswitch, LabFault, Scope.Scope> =>
  Effect.gen(function* () {
    const home = join(folder, "openvswitch")
    mkdirSync(home)
    const here = ["RUN", "LOG", "DB", "SYSCONF"].map((kind) => `OVS_${kind}DIR=${home}`)
    const inside = (...argv: ReadonlyArray<string>) => ["ip", "netns", "exec", namespace, "env", ...here, ...argv]
    const socket = `unix:${home}/db.sock`
    const vsctl = (...argv: ReadonlyArray<string>) => run(...inside("ovs-vsctl", "--timeout=10", `--db=${socket}`, ...argv))

    yield* run(...inside("ovsdb-tool", "create", `${home}/conf.db`, "/usr/share/openvswitch/vswitch.ovsschema"))
    yield* daemon(inside("ovsdb-server", `${home}/conf.db`, `--remote=p${socket}`, `--unixctl=${home}/db.ctl`), () =>
      Effect.map(Effect.option(run(...inside("ovs-appctl", "-t", `${home}/db.ctl`, "version"))), (answer) => answer._tag === "Some")
    )
    yield* vsctl("--no-wait", "init")
    // Idle flows leave its cache, and are exported, after a second
    yield* vsctl("--no-wait", "set", "Open_vSwitch", ".", "other_config:max-idle=1000")
    yield* daemon(inside("ovs-vswitchd", socket, "--disable-system", `--unixctl=${home}/vs.ctl`), (output) =>
      Effect.succeed(output.includes("Open vSwitch"))
    )
    const exportIpfix = (target: string) =>
      Effect.asVoid(
        vsctl(
          ...["--", "--id=@i", "create", "IPFIX", `targets="${target}"`, "sampling=1", "cache_active_timeout=2"],
          ...["cache_max_flows=10000", "--", "set", "Bridge", bridge, "ipfix=@i"]
        )
      )
    return {
      exportIpfix,
      stopIpfix: Effect.asVoid(vsctl("clear", "Bridge", bridge, "ipfix")),
      create: (name) => Effect.asVoid(vsctl("add-br", name, "--", "set", "bridge", name, "datapath_type=netdev")),
      attach: (name, port) => Effect.asVoid(vsctl("add-port", name, port)),
      exportTo: ({ netflow5, ipfix, sflow, sampling, agent }) =>
        Effect.gen(function* () {
          const on = ["--", "set", "Bridge", bridge]
          yield* vsctl("--", "--id=@n", "create", "NetFlow", `targets="${netflow5}"`, "active_timeout=2", ...on, "netflow=@n")
          yield* exportIpfix(ipfix)
          yield* vsctl(
            ...[
              "--",
              "--id=@s",
              "create",
              "sFlow",
              `agent=${agent}`,
              `target="${sflow}"`,
              "header=128",
              `sampling=${sampling}`,
              "polling=2"
            ],
            ...[...on, "sflow=@s"]
          )
        })
    }
  })
