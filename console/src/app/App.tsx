// Which screen an address shows. Screens are loaded when they are opened first.
import { Alert, Button, Center, Loader, Stack } from "@mantine/core";
import { Component, lazy, type ReactNode, Suspense } from "react";
import { Link, Route, Switch, useLocation } from "wouter";

import { Screen as Page } from "../parts/Screen";
import { ROUTES, type ScreenName } from "./routes";
import { SessionGate } from "./session";
import { Shell } from "./Shell";

const SignIn = lazy(() => import("./SignIn"));
const Home = lazy(() => import("../screens/home/Home"));
const Connectors = lazy(() => import("../screens/connectors/Connectors"));
const Connector = lazy(() => import("../screens/connectors/Connector"));
const Instances = lazy(() => import("../screens/instances/Instances"));
const NewInstance = lazy(() => import("../screens/instances/NewInstance"));
const Instance = lazy(() => import("../screens/instances/Instance"));
const Poller = lazy(() => import("../screens/pollers/Poller"));
const Poll = lazy(() => import("../screens/pollers/Poll"));
const Ask = lazy(() => import("../screens/records/Ask"));
const Events = lazy(() => import("../screens/events/Events"));
const Event = lazy(() => import("../screens/events/Event"));
const Deliveries = lazy(() => import("../screens/deliveries/Deliveries"));
const Delivery = lazy(() => import("../screens/deliveries/Delivery"));
const Monitors = lazy(() => import("../screens/flows/Monitors"));
const Flow = lazy(() => import("../screens/flows/Flow"));
const Subscription = lazy(() => import("../screens/flows/Subscription"));
const Settings = lazy(() => import("../screens/settings/Settings"));

/** The whole console. */
export function App() {
  return (
    <SessionGate
      otherwise={
        <Suspense fallback={<Waiting error={null} />}>
          <SignIn />
        </Suspense>
      }
      waiting={(error) => <Waiting error={error} />}
    >
      <Shell>
        <Screen />
      </Shell>
    </SessionGate>
  );
}

/** A part of the address as it was meant. The router decodes half of it, which a name with a `%` in it does not survive. */
function part(index: number): string {
  const raw = window.location.pathname.split("/")[index] ?? "";
  try {
    return decodeURIComponent(raw);
  } catch {
    return raw;
  }
}

type Parts = Record<string, string | undefined>;

/** What each screen is given of its address. */
const SCREENS: Record<ScreenName, (parts: Parts) => ReactNode> = {
  home: () => <Home />,
  connectors: () => <Connectors />,
  connector: ({ "*": rest }) => <Connector connector={part(2)} step={rest?.split("/")[0]} part={rest?.split("/")[1]} />,
  instances: () => <Instances />,
  newInstance: () => <NewInstance />,
  instance: ({ id }) => <Instance id={Number(id)} />,
  poller: ({ id }) => <Poller instance={Number(id)} resource={part(4)} />,
  run: ({ id = "" }) => <Poll run={id} />,
  ask: () => <Ask />,
  events: () => <Events />,
  event: ({ id = "" }) => <Event id={id} />,
  deliveries: () => <Deliveries />,
  delivery: ({ id }) => <Delivery id={Number(id)} />,
  monitors: () => <Monitors />,
  flow: ({ id = "" }) => <Flow id={id} />,
  subscription: ({ id }) => <Subscription id={Number(id)} />,
  settings: () => <Settings />,
};

function Screen() {
  const [location] = useLocation();
  return (
    <Fallen key={location}>
      <Suspense fallback={<Waiting error={null} />}>
        <Switch>
          {Object.entries(ROUTES).map(([name, path]) => (
            <Route key={name} path={path}>
              {(parts: Parts) => SCREENS[name as ScreenName](parts)}
            </Route>
          ))}
          <Route>
            <Page title="There is no such page" about="The address may be old, or was cut when it was copied.">
              <Button component={Link} href="/" style={{ alignSelf: "flex-start" }}>
                To the home screen
              </Button>
            </Page>
          </Route>
        </Switch>
      </Suspense>
    </Fallen>
  );
}

function Waiting(props: { error: Error | null }) {
  return (
    <Center mih="40vh">
      {props.error ? (
        <Alert color="orange" role="alert">
          {props.error.message}
        </Alert>
      ) : (
        <Loader role="status" aria-label="Loading" />
      )}
    </Center>
  );
}

/** Shows what broke, and keeps the rest of the page. */
class Fallen extends Component<{ children: ReactNode }, { error: Error | null }> {
  override state: { error: Error | null } = { error: null };

  static getDerivedStateFromError(error: Error) {
    return { error };
  }

  override render() {
    if (this.state.error === null) return this.props.children;
    return (
      <Alert color="red" role="alert" title="This screen broke">
        <Stack align="flex-start">
          {this.state.error.message}
          <Button variant="default" onClick={() => window.location.reload()}>
            Load it again
          </Button>
        </Stack>
      </Alert>
    );
  }
}
