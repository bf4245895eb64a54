/** Serves a built console with the mock appliance behind it, on loopback: what the end-to-end tests open. */
import { readFile } from "node:fs/promises"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { extname, join, normalize } from "node:path"
import { startMock } from "./appliance.ts"
import type { MockOptions } from "./Bench.ts"

/** The appliance's own (apps/appliance/http/guard.ts): nothing from elsewhere, no inline script. Canvases and the worker come from the bundle. */
export const contentSecurityPolicy =
  "default-src 'self'; img-src 'self' data:; font-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

const types: Record<string, string> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript",
  ".css": "text/css",
  ".woff2": "font/woff2",
  ".woff": "font/woff",
  ".svg": "image/svg+xml",
  ".png": "image/png",
  ".json": "application/json"
}

export const serve = async (options: MockOptions & { readonly root: string; readonly port?: number }) => {
  const mock = await startMock(options)
  const server = createServer(async (request, response) => {
    const url = request.url ?? "/"
    if (url.startsWith("/access/")) return mock.request(request, response)
    const path = normalize(new URL(url, "http://mock").pathname)
    const file = extname(path) === "" ? "index.html" : path
    const cookies = mock.cookies(url)
    if (cookies.length > 0) response.setHeader("set-cookie", cookies)
    try {
      const bytes = await readFile(join(options.root, file))
      response.writeHead(200, {
        "content-type": types[extname(file)] ?? "application/octet-stream",
        "content-security-policy": contentSecurityPolicy,
        "x-content-type-options": "nosniff",
        "referrer-policy": "no-referrer"
      })
      response.end(bytes)
    } catch {
      response.writeHead(404, { "content-type": "text/plain" }).end("not found\n")
    }
  })
  server.on("upgrade", (request, socket, head) => {
    if (request.url?.split("?")[0] === "/rpc") mock.upgrade(request, socket, head)
    else socket.destroy()
  })
  await new Promise<void>((resolve) => server.listen(options.port ?? 0, "127.0.0.1", resolve))
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    drop: mock.drop,
    close: async () => {
      await mock.close()
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    }
  }
}

if (import.meta.main) {
  const running = await serve({ root: join(import.meta.dirname, "../dist"), port: Number(process.env["PORT"] ?? 0), as: "admin" })
  console.log(running.url)
}
