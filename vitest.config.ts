import { defineConfig } from "vitest/config"

export default defineConfig({
  test: {
    include: ["{apps,libs,test,scripts}/**/*.test.ts"],
    globalSetup: ["test/rig/global-setup.ts"],
    // two cores: more workers only wait for each other
    maxWorkers: 2,
    // what waits for a database or a condition does so on a busy machine, too; the tests themselves set no shorter limits
    testTimeout: 120_000,
    hookTimeout: 120_000
  }
})
