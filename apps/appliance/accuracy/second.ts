/** Services that speak over a second connection: FTP (RFC 959) and TFTP (RFC 1350). Whoever serves the first serves the second. */
import type { Seeded } from "../demo/random.ts"
import { ask, type Exchange, type Link, type Packets, stay, tell } from "./traffic.ts"

const FTP_DATA = 20
const EPHEMERAL = [32_768, 60_999] as const
const COMMANDS = { request: [20, 60], response: [20, 200], every: 60, midway: false, pushes: false } as const

/** All packets of one transfer at `at`, each connection by itself. `link` makes one to a port of the server, from a port of the client. */
export const second = (
  way: "ftp-active" | "ftp-passive" | "tftp",
  link: (serverPort?: number, clientPort?: number) => Link,
  what: Exchange,
  at: number,
  random: Seeded
): ReadonlyArray<ReadonlyArray<Packets>> => {
  const control = link()
  const port = random.whole(...EPHEMERAL)
  const { client, protocol, server } = control
  if (way === "tftp") {
    const truth = control.truth
    // The answer goes to the port that asked, from one of its own; the acknowledgements go there
    const answers: Link = { truth, client, server, clientPort: control.clientPort, serverPort: port, protocol }
    const data = tell(answers, at + 3, { request: what.response, response: [0, 0] }, random)
    const thanks = tell(answers, at + 4, { request: [4, 4], response: [0, 0] }, random)
    return [tell(control, at, what, random), [...data.map((one): Packets => ({ ...one, toServer: false })), ...thanks]]
  }
  const commands = stay(control, at, at + 500, COMMANDS, random)
  const { truth } = link(FTP_DATA)
  if (way === "ftp-passive") {
    const data: Link = { truth, client, server, clientPort: random.whole(...EPHEMERAL), serverPort: port, protocol }
    return [commands, ask(data, at + 150, what, random)]
  }
  // Opened by the server, from port 20: its packets are the first, and go to the client all the same
  const opened: Link = { truth, client, server, clientPort: port, serverPort: FTP_DATA, protocol }
  const data = ask(opened, at + 150, { request: what.response, response: [0, 1] }, random)
  return [commands, data.map((one): Packets => ({ ...one, toServer: !one.toServer }))]
}
