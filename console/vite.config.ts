import { readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";

import react from "@vitejs/plugin-react";
import { defineConfig, type Plugin } from "vite";

/** Leaves scripts and styles packed only: the program embeds them as they are sent. */
function packed(): Plugin {
  return {
    name: "packed",
    apply: "build",
    async closeBundle() {
      const folder = join(import.meta.dirname, "dist", "assets");
      for (const name of await readdir(folder)) {
        const path = join(folder, name);
        if (/\.(br|gz|woff2)$/.test(name)) continue;
        const bytes = await readFile(path);
        const params = { [constants.BROTLI_PARAM_QUALITY]: 11 };
        await writeFile(`${path}.br`, brotliCompressSync(bytes, { params }));
        await writeFile(`${path}.gz`, gzipSync(bytes, { level: 9 }));
        await rm(path);
      }
    },
  };
}

export default defineConfig({
  plugins: [react(), packed()],
  build: { target: "es2022", modulePreload: { polyfill: false }, chunkSizeWarningLimit: 900, assetsInlineLimit: 0 },
  server: { proxy: { "/elements": "http://127.0.0.1:8080", "/openapi.json": "http://127.0.0.1:8080" } },
});
