import { defineConfig } from "vitest/config"

export default defineConfig({
  test: {
    include: ["{apps,libs,test,scripts}/**/*.test.ts"],
    globalSetup: ["test/rig/global-setup.ts"],
    // two cores: more workers only wait for each other
    maxWorkers: 2
  }
})
