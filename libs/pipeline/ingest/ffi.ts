/** `node:ffi`, for functions of the C library of 64-bit Linux that Node has no other way to. */

/** Without the warning that this is experimental: people who start an appliance can do nothing about it. */
const quietly = <A>(load: () => A): A => {
  const { emitWarning } = process
  process.emitWarning = () => {}
  try {
    return load()
  } finally {
    process.emitWarning = emitWarning
  }
}

type Ffi = ReturnType<typeof process.getBuiltinModule<"node:ffi">>

/** What `use` makes of it; undefined where the runtime cannot: switched off (--no-experimental-ffi), not permitted (--permission), another libc. */
export const withFfi = <A>(use: (ffi: Ffi) => A): A | undefined => {
  if (process.platform !== "linux" || (process.arch !== "x64" && process.arch !== "arm64")) return undefined
  try {
    return use(quietly(() => process.getBuiltinModule("node:ffi")))
  } catch {
    return undefined
  }
}
