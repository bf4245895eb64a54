/**
 * Compiled code kept in the data folder: the next start, and each worker thread, then neither strips types nor parses again. Entries are
 * known by what their source says, so that a changed file is compiled anew.
 */
import { existsSync } from "node:fs"
import { constants, enableCompileCache } from "node:module"
import { join, resolve } from "node:path"

/**
 * Before other modules are loaded, and so before the configuration is: `data` is the folder that the environment names. Does nothing where
 * that folder is not there yet or cannot be written, and where the operator has chosen a cache.
 */
export const keepCompiledCode = (data: string, env: NodeJS.ProcessEnv = process.env): boolean => {
  if (env["NODE_COMPILE_CACHE"] !== undefined || !existsSync(data)) return false
  const folder = resolve(join(data, "compile-cache"))
  if (enableCompileCache(folder).status !== constants.compileCacheStatus.ENABLED) return false
  // A worker thread has a cache of its own, and learns of it in no other way.
  env["NODE_COMPILE_CACHE"] = folder
  return true
}
