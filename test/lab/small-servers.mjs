// node small-servers.mjs https ADDRESS KEY CERT | ntp ADDRESS | syslog ADDRESS: servers that need no more than Node.
import { createSocket } from "node:dgram"
import { readFileSync } from "node:fs"
import { createServer } from "node:https"

const [kind, address, key, cert] = process.argv.slice(2)
if (kind === "https") {
  const answer = (request, response) => {
    response.setHeader("connection", "close")
    response.end(Buffer.alloc(Number(request.url.slice(1)) || 0, "x"))
  }
  createServer({ key: readFileSync(key), cert: readFileSync(cert) }, answer).listen(443, address)
} else {
  const socket = createSocket("udp4")
  if (kind === "ntp") {
    // RFC 5905: server mode, and the client's transmit time as the originate time
    socket.on("message", (asked, { address: from, port }) => {
      const answer = Buffer.alloc(48)
      answer[0] = 0x24
      answer[1] = 2
      asked.copy(answer, 24, 40, 48)
      answer.writeUInt32BE(Math.floor(Date.now() / 1000) + 2_208_988_800, 40)
      socket.send(answer, port, from)
    })
  }
  socket.bind(kind === "ntp" ? 123 : 514, address)
}
