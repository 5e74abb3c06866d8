//! Deliveries against scripted receivers and a clock that stands until it is moved.

mod concurrent;
mod faulty;
mod retrying;
mod wire;
mod world;
