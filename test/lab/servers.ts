/** Real servers at the lab's machines: HTTP, PostgreSQL, DNS and SSH. They end with the scope. */
import { chmodSync, chownSync, copyFileSync, mkdirSync } from "node:fs"
import { join } from "node:path"
import { Effect, type Scope } from "effect"
import { chooseAccount } from "../../apps/appliance/postgres/account.ts"
import { binariesFor } from "../../apps/appliance/postgres/binaries.ts"
import type { Machine, Network } from "./network.ts"
import { daemon, LabFault, run } from "./processes.ts"

export const HTTP = 80
/** A service on a port nobody registered. */
export const HIGH = 8045
export const POSTGRES = 5432
export const DNS = 53
export const SSH = 22
/** Served by a client, asked by a server: not all dependencies point the same way. */
export const METRICS = 9100

export interface Servers {
  /** Private key that logs in as root at server-2. */
  readonly sshKey: string
}

export const serverPrograms = ["curl", "psql", "dnsmasq", "sshd", "ssh", "ssh-keygen"] as const

export const startServers = Effect.fnUntraced(function* (network: Network): Effect.fn.Return<Servers, LabFault, Scope.Scope> {
  chmodSync(network.folder, 0o755)
  const script = join(import.meta.dirname, "http-server.mjs")
  const web = (machine: Machine, address: string, ...ports: ReadonlyArray<number>) =>
    daemon(network.at(machine, process.execPath, script, address, ...ports.map(String)), () =>
      listening(network, machine, "t", ports[0]!)
    )
  yield* web("server-1", network.address("server-1"), HTTP, HIGH)
  yield* web("server-1", network.address6("server-1"), HTTP)
  yield* web("client-2", network.address("client-2"), METRICS)
  yield* startPostgres(network)
  yield* daemon(
    network.at(
      "server-2",
      ...["dnsmasq", "-k", "--conf-file=/dev/null", "--no-hosts", "--no-resolv", "--user=root", "--bind-interfaces", "--pid-file="],
      ...[`--listen-address=${network.address("server-2")}`, `--address=/shop.test/${network.address("server-1")}`]
    ),
    () => listening(network, "server-2", "u", DNS)
  )
  const sshKey = yield* startSsh(network)
  return { sshKey }
})

/** Asks the kernel, not the network: no packet of ours may cross the wires before the account begins. */
export const listening = (network: Network, machine: Machine, kind: "t" | "u", port: number): Effect.Effect<boolean, LabFault> =>
  run("ip", "netns", "exec", network.namespace(machine), "ss", `-Hln${kind}`).pipe(
    Effect.map((text) => text.split("\n").some((line) => line.includes(`:${port} `)))
  )

const startPostgres = Effect.fnUntraced(function* (network: Network) {
  const data = join(network.folder, "postgres")
  const account = chooseAccount(data)
  if (account === undefined) return yield* new LabFault({ what: "postgres", detail: "no account to run it as" })
  const { native } = yield* Effect.mapError(
    binariesFor(account, network.folder),
    (fault) => new LabFault({ what: "postgres", detail: fault.message })
  )
  mkdirSync(data, { mode: 0o700 })
  chownSync(data, account.uid, account.gid)
  const as = ["setpriv", `--reuid=${account.uid}`, `--regid=${account.gid}`, "--clear-groups", "env", `--chdir=${data}`]
  yield* run(...as, join(native, "bin/initdb"), "-D", data, "-U", "lab", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")
  const hba = join(network.folder, "pg_hba.conf")
  yield* run("sh", "-c", `echo 'host all all 0.0.0.0/0 trust' >${hba}`)
  yield* daemon(
    network.at(
      "server-1",
      ...[...as, join(native, "bin/postgres"), "-D", data, "-k", data, "-p", String(POSTGRES), "-c", `hba_file=${hba}`],
      ...["-c", `listen_addresses=${network.address("server-1")}`, "-c", "fsync=off", "-c", "autovacuum=off"]
    ),
    (output) => Effect.succeed(output.includes("ready to accept connections"))
  )
})

const startSsh = Effect.fnUntraced(function* (network: Network) {
  const hostKey = join(network.folder, "host-key")
  const sshKey = join(network.folder, "key")
  for (const path of [hostKey, sshKey]) yield* run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", path)
  const authorized = join(network.folder, "authorized")
  copyFileSync(`${sshKey}.pub`, authorized)
  const options = [
    "PidFile=none",
    "UsePAM=no",
    `AuthorizedKeysFile=${authorized}`,
    "StrictModes=no",
    `ListenAddress=${network.address("server-2")}`
  ]
  yield* daemon(
    network.at(
      "server-2",
      "/usr/sbin/sshd",
      "-D",
      "-e",
      "-f",
      "/dev/null",
      "-h",
      hostKey,
      ...options.flatMap((option) => ["-o", option])
    ),
    () => listening(network, "server-2", "t", SSH)
  )
  return sshKey
})
