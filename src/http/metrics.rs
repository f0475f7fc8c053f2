//! `/metrics` (Prometheus text format 0.0.4) and `/healthz`, in the clear on loopback, without sign-in: figures, no names of people.

use std::fmt::Write;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use axum::Router;
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;

use crate::backup;
use crate::http::api::health::{phase, volumes};
use crate::http::app::App;
use crate::http::json::Json;

/// Both routes.
pub fn router(app: Arc<App>) -> Router {
    Router::new()
        .route("/metrics", get(metrics))
        .route("/healthz", get(healthz))
        .with_state(app)
}

/// Alive and able to read its catalog: 200. What is wrong with cameras and disks is not for this question, whose answer may
/// restart the box.
async fn healthz(State(app): State<Arc<App>>) -> Response {
    let read = app.blocking(|app| app.parts.catalog.reader()?.meta().map(drop));
    match read.await {
        Ok(()) => Json(serde_json::json!({ "status": "ok" })).into_response(),
        Err(_) => StatusCode::SERVICE_UNAVAILABLE.into_response(),
    }
}

async fn metrics(State(app): State<Arc<App>>) -> Response {
    match app.blocking(|app| Ok(text(app))).await {
        Ok(text) => {
            let kind = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
            ([(CONTENT_TYPE, kind)], text).into_response()
        }
        Err(refusal) => refusal.into_response(),
    }
}

/// Metric families in order: each with its help, its type, its samples.
#[derive(Default)]
struct Text(String);

impl Text {
    fn family(&mut self, name: &str, kind: &str, help: &str) {
        // Writing to a string cannot fail.
        writeln!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}").ok();
    }

    fn sample(&mut self, name: &str, labels: &[(&str, &str)], value: impl std::fmt::Display) {
        let labels: Vec<_> = labels
            .iter()
            .map(|(key, value)| {
                let value = value.replace('\\', "\\\\").replace('"', "\\\"");
                format!("{key}=\"{}\"", value.replace('\n', "\\n"))
            })
            .collect();
        let labels = if labels.is_empty() {
            String::new()
        } else {
            format!("{{{}}}", labels.join(","))
        };
        writeln!(self.0, "{name}{labels} {value}").ok();
    }

    fn one(&mut self, name: &str, kind: &str, help: &str, value: impl std::fmt::Display) {
        self.family(name, kind, help);
        self.sample(name, &[], value);
    }
}

fn text(app: &App) -> String {
    let mut out = Text::default();
    out.family("sinetti_info", "gauge", "Version of Sinetti.");
    out.sample("sinetti_info", &[("version", env!("CARGO_PKG_VERSION"))], 1);
    let started = app.started.us() / 1_000_000;
    out.one(
        "sinetti_start_time_seconds",
        "gauge",
        "When the recorder began, in seconds since 1970.",
        started,
    );
    streams(app, &mut out);
    box_state(app, &mut out);
    alarms(app, &mut out);
    web(app, &mut out);
    out.0
}

/// Left out when the catalog cannot be read: that is an alarm of its own.
fn alarms(app: &App, out: &mut Text) {
    let figures = app
        .parts
        .catalog
        .reader()
        .and_then(|reader| app.parts.host.alarms(&reader));
    for family in figures
        .map(|figures| figures.families())
        .unwrap_or_default()
    {
        out.family(family.name, family.kind, family.help);
        for (labels, value) in family.samples {
            out.sample(family.name, &labels, value);
        }
    }
}

fn streams(app: &App, out: &mut Text) {
    let lines = app.parts.board.lines();
    let now = app.now();
    out.family(
        "sinetti_stream_recording",
        "gauge",
        "1 while pictures of the stream reach the disk.",
    );
    for (id, line) in &lines {
        let recording = u8::from(phase(line) == "recording");
        let id = id.to_string();
        out.sample("sinetti_stream_recording", &[("stream", &id)], recording);
    }
    out.family(
        "sinetti_stream_age_seconds",
        "gauge",
        "Time since the last picture that was written.",
    );
    for (id, line) in &lines {
        if let Some(growing) = &line.growing {
            let us = now.us_since(growing.end).max(0);
            let secs = format!("{}.{:03}", us / 1_000_000, us % 1_000_000 / 1000);
            out.sample(
                "sinetti_stream_age_seconds",
                &[("stream", &id.to_string())],
                secs,
            );
        }
    }
    let counters = [
        ("sinetti_stream_pictures_total", "Pictures written."),
        ("sinetti_stream_bytes_total", "Bytes of pictures written."),
        (
            "sinetti_stream_packets_lost_total",
            "Packets that the network lost.",
        ),
        (
            "sinetti_stream_interruptions_total",
            "Connections that failed or ended.",
        ),
    ];
    for (i, (name, help)) in counters.into_iter().enumerate() {
        out.family(name, "counter", help);
        for (id, line) in &lines {
            let values = [
                line.units,
                line.bytes,
                line.packets_lost,
                u64::from(line.interruptions),
            ];
            if let Some(value) = values.get(i) {
                out.sample(name, &[("stream", &id.to_string())], value);
            }
        }
    }
}

fn box_state(app: &App, out: &mut Text) {
    let volumes = volumes(app);
    out.family(
        "sinetti_volume_free_bytes",
        "gauge",
        "Free bytes of a volume.",
    );
    for volume in &volumes {
        if let (name, Some(free), _) = volume.figures() {
            out.sample("sinetti_volume_free_bytes", &[("volume", name)], free);
        }
    }
    out.family("sinetti_volume_bytes", "gauge", "All bytes of a volume.");
    for volume in &volumes {
        if let (name, _, Some(total)) = volume.figures() {
            out.sample("sinetti_volume_bytes", &[("volume", name)], total);
        }
    }
    let sync = app.parts.clock.host_sync();
    out.one(
        "sinetti_clock_synchronised",
        "gauge",
        "1 while something keeps the clock.",
        u8::from(sync.synchronised),
    );
    out.one(
        "sinetti_deletion_troubles",
        "gauge",
        "What stands in the way of deletion; 0 when nothing does.",
        app.parts.host.deletion_troubles().len(),
    );
    out.one(
        "sinetti_damaged_segments",
        "gauge",
        "Segments that the scrub found damaged.",
        app.parts.host.damaged_segments(),
    );
    // Left out when there never was one: a rule on its absence is one on its age too.
    if let Ok(Some(last)) = app
        .parts
        .catalog
        .reader()
        .and_then(|reader| backup::last(&reader))
    {
        out.one(
            "sinetti_backup_age_seconds",
            "gauge",
            "How long ago the last backup was made.",
            app.now().us_since(last) / 1_000_000,
        );
    }
    let left_s = app.certificate.get().valid.end.us_since(app.now()) / 1_000_000;
    out.one(
        "sinetti_certificate_seconds",
        "gauge",
        "How long the certificate is still valid.",
        left_s,
    );
}

fn web(app: &App, out: &mut Text) {
    let gate = &app.gate;
    let counters = [
        (
            "sinetti_connections_total",
            "Connections that were let in.",
            &gate.admitted,
        ),
        (
            "sinetti_connections_off_premises_total",
            "Connections refused: not on the premises.",
            &gate.off_premises,
        ),
        (
            "sinetti_connections_too_many_total",
            "Connections refused: too many.",
            &gate.too_many,
        ),
        (
            "sinetti_connections_no_tls_total",
            "Connections on which TLS did not come about.",
            &gate.no_tls,
        ),
    ];
    for (name, help, count) in counters {
        out.one(name, "counter", help, count.load(Ordering::Relaxed));
    }
    out.one(
        "sinetti_connections",
        "gauge",
        "Connections at present.",
        gate.inside(),
    );
    out.family(
        "sinetti_answers_total",
        "counter",
        "Answers by class of status.",
    );
    for (class, count) in (1..).zip(app.counts.by_class()) {
        let class = format!("{class}xx");
        out.sample("sinetti_answers_total", &[("class", &class)], count);
    }
    viewers(app, out);
}

fn viewers(app: &App, out: &mut Text) {
    let (cross_site, media) = app.counts.cross_site_and_media();
    out.one(
        "sinetti_cross_site_total",
        "counter",
        "Requests of other sites that were refused.",
        cross_site,
    );
    out.one(
        "sinetti_media_bytes_total",
        "counter",
        "Bytes of pictures sent.",
        media,
    );
    let access = &app.parts.access;
    out.one(
        "sinetti_sessions",
        "gauge",
        "Sessions that are open.",
        access.session_count(),
    );
    out.one(
        "sinetti_password_trials_total",
        "counter",
        "Passwords that were tried, right or wrong.",
        access.argon2_runs(),
    );
    out.one(
        "sinetti_playbacks",
        "gauge",
        "Playbacks that are open.",
        app.playbacks.len(),
    );
    out.one(
        "sinetti_live_watchers",
        "gauge",
        "Live pictures that are watched.",
        app.parts.live.watchers(),
    );
}
