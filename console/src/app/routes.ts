/** Every address of the console, by the name of its screen. Tests read it too: a screen that is not looked at fails them. */
export const ROUTES = {
  home: "/",
  connectors: "/connectors",
  connector: "/connectors/:key/*?",
  instances: "/instances",
  newInstance: "/instances/new",
  instance: "/instances/:id",
  poller: "/instances/:id/pollers/:resource",
  run: "/runs/:id",
  ask: "/ask",
  events: "/events",
  event: "/events/:id",
  deliveries: "/deliveries",
  delivery: "/deliveries/:id",
  monitors: "/monitors",
  flow: "/monitors/:id",
  subscription: "/subscriptions/:id",
  settings: "/settings",
} as const;

/** The name of a screen. */
export type ScreenName = keyof typeof ROUTES;
