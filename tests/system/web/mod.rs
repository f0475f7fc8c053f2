//! Pages and API over their socket: TLS, bounds, playback bytes, live pictures, and a peer that reads the OpenAPI document.

mod closed;
mod deletions;
mod figures;
mod ledger;
mod limits;
mod live;
mod packages;
mod playback;
mod schema;
mod tls;
