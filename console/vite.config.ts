import { readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";

import react from "@vitejs/plugin-react";
import postcss, { type Rule } from "postcss";
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

/** A class of the component library. */
const CLASS = /\.(m_[0-9a-f]{6,8})\b/g;

/**
 * Leaves out what the component library's style says of components that no script has: a class of theirs that stands in
 * no script can be on no element.
 */
function worn(): Plugin {
  return {
    name: "worn",
    apply: "build",
    enforce: "post",
    generateBundle(_options, bundle) {
      const files = Object.values(bundle);
      const scripts = files.map((file) => (file.type === "chunk" ? file.code : "")).join("\n");
      const isWorn = (selector: string) => [...selector.matchAll(CLASS)].every(([, name = ""]) => scripts.includes(name));
      for (const file of files) {
        if (file.type !== "asset" || !file.fileName.endsWith(".css")) continue;
        const sheet = postcss.parse(String(file.source));
        sheet.walkRules((rule: Rule) => {
          const left = rule.selectors.filter(isWorn);
          if (left.length === 0) rule.remove();
          else if (left.length < rule.selectors.length) rule.selectors = left;
        });
        sheet.walkAtRules((at) => {
          if (at.nodes?.length === 0) at.remove();
        });
        file.source = sheet.toString();
      }
    },
  };
}

const REFS = "\0merged-refs";

/**
 * The library's scroll area, which every dialog and table has, takes one function of three lines from the positioning
 * library, and with it all of that. It gets the same function of the hooks that are there anyway.
 */
function light(): Plugin {
  return {
    name: "light",
    apply: "build",
    enforce: "pre",
    resolveId: (source, importer) => (source === "@floating-ui/react" && importer?.endsWith("/ScrollArea/ScrollArea.mjs") ? REFS : undefined),
    load: (id) => (id === REFS ? 'import { useMergedRef } from "@mantine/hooks"; export const useMergeRefs = (refs) => useMergedRef(...refs);' : undefined),
  };
}

/** What opens beside something else weighs as much as the rest of the library: only who opens it pays for it. */
const BESIDE = /@floating-ui|(components|utils)[\\/](Popover|Combobox|Select|Tooltip|Menu|Floating)[\\/]/;
/** What every screen needs is one file, and what most need another: many small ones cost more in heads than they save. */
const GROUPS = [
  { name: "base", tags: ["$initial" as const], priority: 3 },
  { name: "marks", test: /(ComboboxChevron|get-parsed-combobox-data|RadioIcon)/, priority: 3 },
  { name: "kit", test: (id: string) => !BESIDE.test(id), minShareCount: 7, priority: 2 },
  { name: "beside", test: BESIDE, minShareCount: 2, priority: 1 },
];

export default defineConfig({
  plugins: [light(), react(), worn(), packed()],
  build: { target: "es2022", modulePreload: { polyfill: false }, chunkSizeWarningLimit: 900, assetsInlineLimit: 0, rolldownOptions: { output: { codeSplitting: { groups: GROUPS } } } },
  server: { proxy: { "/elements": "http://127.0.0.1:8080", "/openapi.json": "http://127.0.0.1:8080" } },
});
