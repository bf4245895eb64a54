// node http-server.mjs ADDRESS PORT…: answers GET /N with N octets on each of the ports.
import { createServer } from "node:http"

const [address, ...ports] = process.argv.slice(2)
for (const port of ports) {
  createServer((request, response) => {
    response.setHeader("connection", "close")
    response.end(Buffer.alloc(Math.min(Number(request.url.slice(1)) || 0, 1 << 24), "x"))
  }).listen(Number(port), address)
}
