// node small-clients.mjs ntp SERVER | dns-tcp SERVER NAME: one exchange each. NTP goes from a port of its own, as clients do.
import { createSocket } from "node:dgram"
import { connect } from "node:net"

const [kind, server, name] = process.argv.slice(2)
const late = setTimeout(() => {
  console.error(`no answer from ${server}`)
  process.exit(1)
}, 5000)
const done = () => clearTimeout(late)
if (kind === "ntp") {
  const socket = createSocket("udp4")
  const asked = Buffer.alloc(48)
  asked[0] = 0x23
  asked.writeUInt32BE(Math.floor(Date.now() / 1000) + 2_208_988_800, 40)
  socket.on("message", () => {
    done()
    socket.close()
  })
  socket.send(asked, 123, server)
} else {
  const labels = name.split(".").flatMap((label) => [label.length, ...Buffer.from(label)])
  const query = Buffer.from([0, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, ...labels, 0, 0, 1, 0, 1])
  const socket = connect(53, server, () => socket.write(Buffer.concat([Buffer.from([0, query.length]), query])))
  socket.on("data", () => {
    done()
    socket.end()
  })
}
