/** The mock appliance in front of `vite dev`: `npm run dev` needs no appliance. `?seed=large&as=viewer` chooses world and role. */
import type { Server } from "node:http"
import type { Plugin } from "vite"
import { startMock } from "./appliance.ts"
import type { MockOptions } from "./Bench.ts"

export const mockAppliance = (options: MockOptions = { as: "admin" }): Plugin => ({
  name: "flowlens-mock-appliance",
  apply: "serve",
  configureServer: async (server) => {
    const mock = await startMock(options)
    server.middlewares.use((request, response, next) => {
      const url = request.url ?? "/"
      if (url.startsWith("/access/")) return mock.request(request, response)
      const cookies = mock.cookies(url)
      if (cookies.length > 0) response.setHeader("set-cookie", cookies)
      next()
    })
    const http = server.httpServer as Server | null
    // Vite's own socket (hot reload) is another upgrade on the same server: leave it alone.
    http?.on("upgrade", (request, socket, head) => {
      if (request.url?.split("?")[0] === "/rpc") mock.upgrade(request, socket, head)
    })
    http?.once("close", () => void mock.close())
  }
})
