import { defineConfig } from "vitest/config"

export default defineConfig({
  test: {
    include: ["{apps,libs,test,scripts}/**/*.test.ts"],
    globalSetup: ["test/rig/global-setup.ts"],
    // two cores: more workers only wait for each other
    maxWorkers: 2,
    // a test that waits for a database does so on a busy machine, too
    testTimeout: 60_000,
    hookTimeout: 60_000
  }
})
