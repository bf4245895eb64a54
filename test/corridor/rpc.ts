/** One call over the console's own line, as text: nothing of ours on the client's side. */
import { NodeWS } from "@effect/platform-node"
import type { Appliance } from "./Appliance.ts"

/** What came back until the call was answered, or a stream had said its first. */
export const rpc = (appliance: Appliance, token: string, tag: string, payload: unknown): Promise<string> =>
  new Promise((done, failed) => {
    const socket = new NodeWS.WebSocket(`wss://127.0.0.1:${appliance.port}/rpc`, {
      rejectUnauthorized: false,
      headers: { authorization: `Bearer ${token}` }
    })
    let text = ""
    const timer = setTimeout(() => socket.terminate(), 90_000)
    socket.on("open", () => socket.send(`${JSON.stringify({ _tag: "Request", id: "1", tag, payload, headers: [] })}\n`))
    socket.on("message", (part: Buffer) => {
      text += part.toString()
      if (text.includes('"Exit"') || text.includes('"Chunk"')) socket.close()
    })
    socket.on("error", failed)
    socket.on("close", () => {
      clearTimeout(timer)
      done(text)
    })
  })
