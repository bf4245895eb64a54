/** SO_RCVBUFFORCE (socket(7)): a receive buffer beyond `net.core.rmem_max`, for whom the system lets (CAP_NET_ADMIN). */
import { withFfi } from "./ffi.ts"

const SOL_SOCKET = 1
const SO_RCVBUFFORCE = 33

/** True when the socket now has it. */
export const forceReceiveBuffer = (fd: number, octets: number): boolean =>
  withFfi((ffi) => {
    const { functions } = ffi.dlopen(null, {
      setsockopt: { arguments: ["i32", "i32", "i32", "pointer", "u32"], return: "i32" }
    })
    const value = new Int32Array([octets])
    return functions.setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, ffi.getRawPointer(value), value.byteLength) === 0
  }) ?? false
