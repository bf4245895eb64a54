/** Further real servers beside those of servers.ts, so that the lab has services of many kinds; and clients that really ask them. */
import { mkdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { Effect, type Scope } from "effect"
import type { Network } from "./network.ts"
import { daemon, type LabFault, run } from "./processes.ts"
import { DNS, listening } from "./servers.ts"
import { curl, type Errand } from "./traffic.ts"

/** Debian's own: another Python on the path does not see Debian's modules. */
const PYTHON = "/usr/bin/python3"
const modules = "/usr/lib/python3/dist-packages"
const TCP = "t"
const UDP = 17
/** Between two clients: only their switch sees it. */
export const BESIDE = 9300
/** For traffic that goes on, so that exporters have something to say. */
export const TRICKLE = 9400
const PAGE = 200_000

export const servicePrograms = ["redis-server", "redis-cli", "memcached", "mosquitto", "slapd", "openssl", "logger"] as const
/** Where the modules of Debian's Python are not, in words for the name of a skipped test. */
export const missingModules = (exists: (path: string) => boolean): ReadonlyArray<string> =>
  [PYTHON, join(modules, "aiosmtpd"), join(modules, "pyftpdlib")].filter((path) => !exists(path))

export const startServices = Effect.fnUntraced(function* (network: Network): Effect.fn.Return<void, LabFault, Scope.Scope> {
  const { folder } = network
  const [one, two] = [network.address("server-1"), network.address("server-2")]
  const file = (name: string, text: string) => {
    writeFileSync(join(folder, name), text)
    return join(folder, name)
  }
  const at = (machine: "server-1" | "server-2" | "client-2", kind: "t" | "u", port: number, ...argv: ReadonlyArray<string>) =>
    daemon(network.at(machine, ...argv), () => listening(network, machine, kind, port))
  const small = (...argv: ReadonlyArray<string>) => [process.execPath, join(import.meta.dirname, "small-servers.mjs"), ...argv]

  const [key, certificate] = [join(folder, "https.key"), join(folder, "https.pem")]
  const subject = ["-subj", "/CN=shop.test", "-days", "2"]
  yield* run("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", certificate, ...subject)
  yield* at("server-1", TCP, 443, ...small("https", one, key, certificate))

  const files = join(folder, "ftp")
  mkdirSync(files)
  writeFileSync(join(files, "page"), Buffer.alloc(PAGE, "x"))
  yield* at("server-1", TCP, 21, PYTHON, "-m", "pyftpdlib", "-i", one, "-p", "21", "-d", files)
  yield* at("server-1", TCP, 25, PYTHON, "-m", "aiosmtpd", "-n", "-l", `${one}:25`, "-c", "aiosmtpd.handlers.Sink")
  file("mail", "Subject: hello\r\n\r\nhello\r\n")

  const directory = file(
    "slapd.conf",
    `include /etc/ldap/schema/core.schema\npidfile ${folder}/slapd.pid\nmoduleload /usr/lib/ldap/back_null.so\ndatabase null\nsuffix "dc=lab"\n`
  )
  yield* at("server-1", TCP, 389, "slapd", "-f", directory, "-h", `ldap://${one}:389`, "-d", "0")
  yield* at("server-1", TCP, 6379, ...["redis-server", "--port", "6379", "--bind", one, "--protected-mode", "no"], "--save", "")

  yield* at("server-2", TCP, 11_211, "memcached", "-u", "root", "-l", two, "-p", "11211", "-U", "0")
  const broker = file("mosquitto.conf", `listener 1883 ${two}\nallow_anonymous true\nuser root\n`)
  yield* at("server-2", TCP, 1883, "mosquitto", "-c", broker)
  yield* at("server-2", "u", 123, ...small("ntp", two))
  yield* at("server-2", "u", 514, ...small("syslog", two))
  const page = join(import.meta.dirname, "http-server.mjs")
  yield* at("server-1", TCP, TRICKLE, process.execPath, page, one, String(TRICKLE))
  yield* at("client-2", TCP, BESIDE, process.execPath, page, network.address("client-2"), String(BESIDE))
})

/** One line of a shell; the server's address is `$1`. */
const line = (text: string) => (address: string) => ["sh", "-c", text, "sh", address]

export const serviceErrands = (network: Network): ReadonlyArray<Errand> => {
  const small =
    (kind: string, ...more: ReadonlyArray<string>) =>
    (address: string) => [...[process.execPath, join(import.meta.dirname, "small-clients.mjs"), kind, address], ...more]
  const quiet = "curl -sS -o /dev/null"
  return [
    { from: "client-1", to: "server-1", port: 443, times: 5, payload: PAGE, argv: line(`${quiet} -kf https://$1/${PAGE}`) },
    { from: "client-1", to: "server-1", port: 21, second: 20, times: 3, payload: PAGE, argv: line(`${quiet} ftp://$1/page`) },
    {
      ...{ from: "client-2", to: "server-1", port: 25, times: 4 },
      argv: line(`${quiet} smtp://$1 --mail-from a@lab.test --mail-rcpt b@lab.test -T ${network.folder}/mail`)
    },
    { from: "client-2", to: "server-1", port: 389, times: 4, argv: line(`${quiet} "ldap://$1/??base"`) },
    { from: "client-1", to: "server-1", port: 6379, times: 5, argv: line("redis-cli -h $1 set a b >/dev/null") },
    {
      ...{ from: "client-2", to: "server-2", port: 11_211, times: 5 },
      argv: line("printf 'set a 0 0 1\\r\\nb\\r\\nget a\\r\\nquit\\r\\n' | curl -sS -o /dev/null telnet://$1:11211")
    },
    { from: "client-1", to: "server-2", port: 1883, times: 4, argv: line(`${quiet} -d hello mqtt://$1/topic`) },
    { from: "client-1", to: "server-2", port: 123, protocol: UDP, times: 6, argv: small("ntp") },
    { from: "client-2", to: "server-2", port: DNS, times: 4, argv: small("dns-tcp", "www.shop.test") },
    { from: "client-1", to: "server-2", port: 514, protocol: UDP, times: 6, argv: line("logger -d -n $1 -P 514 hello") }
  ]
}

/** Seen by the clients' switch alone. */
export const besideErrand: Errand = {
  from: "client-1",
  to: "client-2",
  port: BESIDE,
  times: 5,
  payload: PAGE,
  argv: curl(BESIDE, PAGE)
}
/**
 * Not from the client of the FTP sessions: what it asks that server for at a high port without a name is taken for their data, for an hour
 * (docs/decisions/010-direction.md).
 */
export const trickleErrand = (octets: number): Errand => ({
  from: "client-2",
  to: "server-1",
  port: TRICKLE,
  times: 1,
  argv: curl(TRICKLE, octets)
})
