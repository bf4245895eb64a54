/** The console's build: static files with hashed names, nothing inline, so that `Content-Security-Policy: default-src 'self'` holds. */
import { existsSync } from "node:fs"
import { defineConfig, type Plugin } from "vite"

/** Loaded by Node itself, not bundled into this file: the mock is TypeScript that Node runs as it stands. */
const mock = async (): Promise<ReadonlyArray<Plugin>> => {
  const place = new URL("./mock/plugin.ts", import.meta.url)
  if (!existsSync(place)) return []
  const { mockAppliance } = (await import(/* @vite-ignore */ place.href)) as { readonly mockAppliance: () => Plugin }
  return [mockAppliance()]
}

export default defineConfig(async ({ command }) => ({
  base: "/",
  plugins: command === "serve" ? [...(await mock())] : [],
  build: {
    target: "es2023",
    outDir: "dist",
    // /assets is a page of the console
    assetsDir: "bundle",
    emptyOutDir: true,
    sourcemap: false,
    // data: addresses are not 'self'
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    cssCodeSplit: true
  },
  server: { host: "127.0.0.1", port: 5173 }
}))
