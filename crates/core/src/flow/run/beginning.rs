//! Where a run begins: the monitor's own flow, a helper flow by itself, and at its end the flows that were called
//! asynchronously.

use super::machine::{Activation, Later, Machine, flow_frame, shallow_bytes};
use super::{Entry, FlowError};
use crate::flow::program::{SLOT_CURSOR, SLOT_OPTIONS};
use crate::flow::value::Value;

impl Machine {
    /// The first task.
    pub(super) fn begin(&mut self) -> Result<(), Box<FlowError>> {
        let frame = match &self.start.entry {
            Entry::Monitor => {
                let program = &self.flow.programs[0];
                let mut slots = vec![Value::Null; program.slots];
                slots[SLOT_CURSOR] = self.cursor.value.clone();
                let options = self.start.options.iter();
                let options = options.map(|(label, value)| (label.clone(), Value::text(value.as_str())));
                slots[SLOT_OPTIONS] = Value::object(options.collect());
                flow_frame(program.body.clone(), Activation::new(0, slots))
            }
            Entry::Helper { name, values } => {
                let Some(program) = self.flow.program_named(name) else {
                    let message = format!("there is no flow `{name}`; name one under `flows`");
                    return Err(self.fault_of_run("unknown-flow", message));
                };
                let parameters = self.flow.programs[program].parameters.iter();
                let values =
                    parameters.map(|(name, _)| values.get(name).cloned().unwrap_or_default()).collect();
                let context = self.context(None, "", None);
                self.activate(program, values, context)?
            }
        };
        self.spawn(frame, 0, None, true);
        Ok(())
    }

    /// One of them, as a task of its own.
    pub(super) fn begin_later(&mut self, later: Later) {
        let bytes: usize = later.values.iter().map(shallow_bytes).sum();
        self.release(bytes);
        let context = self.context(None, &later.caller, None);
        match self.activate(later.program, later.values, context) {
            Ok(frame) => self.spawn(frame, 1, None, true),
            Err(error) => self.note(format!("a flow that was called asynchronously did not begin: {error}")),
        }
    }
}
