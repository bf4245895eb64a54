/** A way to a database that can be cut: connections are ended and new ones refused, as when the server or the network goes. */
import { connect, createServer, type Server, type Socket } from "node:net"
import { onTestFinished } from "vitest"

export interface Outage {
  /** The database's URL by this way. */
  readonly url: string
  readonly cut: () => Promise<void>
  readonly mend: () => Promise<void>
}

export const throughProxy = async (real: URL): Promise<Outage> => {
  const folder = real.searchParams.get("host")
  const realPort = Number(real.searchParams.get("port") ?? (real.port || 5432))
  const target = folder === null ? { host: real.hostname, port: realPort } : { path: `${folder}/.s.PGSQL.${realPort}` }
  const open = new Set<Socket>()
  let server: Server | undefined
  let port = 0
  const end = () => {
    for (const socket of open) socket.destroy()
    open.clear()
  }
  const cut = () =>
    new Promise<void>((done) => {
      end()
      if (server === undefined) return done()
      server.close(() => done())
      server = undefined
    })
  const mend = () =>
    new Promise<void>((done, failed) => {
      server = createServer((near) => {
        const far = connect(target)
        for (const [socket, other] of [
          [near, far],
          [far, near]
        ] as const) {
          open.add(socket)
          socket.on("error", () => other.destroy())
          socket.on("close", () => {
            open.delete(socket)
            other.destroy()
          })
          socket.pipe(other)
        }
      })
      server.once("error", failed)
      server.listen(port, "127.0.0.1", () => {
        port = (server!.address() as { readonly port: number }).port
        done()
      })
    })
  onTestFinished(cut)
  await mend()
  const user = real.searchParams.get("user") ?? real.username
  const url = new URL(`postgres://${encodeURIComponent(user)}@127.0.0.1:${port}${real.pathname}`)
  return { url: url.href, cut, mend }
}
