// Which screen an address shows. Screens are loaded when they are opened first.
import { Alert, Button, Center, Loader, Stack } from "@mantine/core";
import { Component, lazy, type ReactNode, Suspense } from "react";
import { Route, Switch, useLocation } from "wouter";

import { Nothing } from "../parts/Nothing";
import { SessionGate } from "./session";
import { Shell } from "./Shell";
import { SignIn } from "./SignIn";

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
    <SessionGate otherwise={<SignIn />} waiting={(error) => <Waiting error={error} />}>
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

function Screen() {
  const [location] = useLocation();
  return (
    <Fallen key={location}>
      <Suspense fallback={<Waiting error={null} />}>
        <Switch>
          <Route path="/" component={Home} />
          <Route path="/connectors" component={Connectors} />
          <Route path="/connectors/:key/*?">{(params) => <Connector connector={decodeURIComponent(params.key)} step={params["*"]?.split("/")[0]} part={params["*"]?.split("/")[1]} />}</Route>
          <Route path="/instances" component={Instances} />
          <Route path="/instances/new" component={NewInstance} />
          <Route path="/instances/:id">{({ id }) => <Instance id={Number(id)} />}</Route>
          <Route path="/instances/:id/pollers/:resource">{({ id }) => <Poller instance={Number(id)} resource={part(4)} />}</Route>
          <Route path="/runs/:id">{({ id }) => <Poll run={id} />}</Route>
          <Route path="/ask" component={Ask} />
          <Route path="/events" component={Events} />
          <Route path="/events/:id">{({ id }) => <Event id={id} />}</Route>
          <Route path="/deliveries" component={Deliveries} />
          <Route path="/deliveries/:id">{({ id }) => <Delivery id={Number(id)} />}</Route>
          <Route path="/monitors" component={Monitors} />
          <Route path="/monitors/:id">{({ id }) => <Flow id={id} />}</Route>
          <Route path="/subscriptions/:id">{({ id }) => <Subscription id={Number(id)} />}</Route>
          <Route path="/settings" component={Settings} />
          <Route>
            <Nothing title="There is no such page" text="The address may be old. The places on the left are all there are." />
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
