// Mounts the console. Everything that all screens share is put around them here, once.
import "@mantine/core/styles.css";
import "./app/app.css";

import { MantineProvider } from "@mantine/core";
import { QueryClientProvider } from "@tanstack/react-query";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";

import { queries } from "./api/queries";
import { App } from "./app/App";
import { theme, variables } from "./app/theme";
import { SaidHere } from "./parts/SaidHere";

const root = document.getElementById("root");
if (root) {
  createRoot(root).render(
    <StrictMode>
      <MantineProvider theme={theme} cssVariablesResolver={variables} defaultColorScheme="auto">
        <QueryClientProvider client={queries}>
          <App />
          <SaidHere />
        </QueryClientProvider>
      </MantineProvider>
    </StrictMode>,
  );
}
