//! Where the box stands: what a page must know to show any time of day, before anybody has signed in.

use std::sync::Arc;

use axum::extract::State;
use utoipa::ToSchema;

use crate::base::time::Wall;
use crate::http::app::App;
use crate::http::json::Json;
use crate::http::problem::Problem;

/// The site.
#[derive(Debug, serde::Serialize, ToSchema)]
pub struct Site {
    /// Its name.
    name: String,
    /// Its time zone, by its IANA name: times are shown in it.
    zone: String,
    /// The time of day of the box.
    #[schema(value_type = String, format = DateTime)]
    now: Wall,
}

/// Where the box stands.
#[utoipa::path(
    get,
    path = "/api/v1/site",
    tag = "site",
    security(()),
    responses(
        (status = 200, body = Site),
        (status = "4XX", body = Problem, content_type = "application/problem+json"),
        (status = "5XX", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn site(State(app): State<Arc<App>>) -> Json<Site> {
    let site = &app.config().site;
    Json(Site {
        name: site.name.clone(),
        zone: site.zone.name().to_owned(),
        now: app.now(),
    })
}
