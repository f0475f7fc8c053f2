//! Cameras as the configuration has them, as they are answered. How they are changed is in `camera_settings`.

use utoipa::ToSchema;

use crate::base::id::CameraId;
use crate::config::{self, CameraConfig, Config, SitePolicy};
use crate::http::api::words;

/// A camera as the configuration has it.
#[derive(Debug, serde::Serialize, ToSchema)]
pub struct CameraSettings {
    /// Its id, which never changes.
    #[schema(value_type = String)]
    camera: CameraId,
    /// Its name.
    name: String,
    /// The marked area that it films.
    area: String,
    /// Its address, with port.
    address: String,
    /// How its pictures travel.
    #[schema(schema_with = words::transport)]
    transport: String,
    /// Path of the full picture on it.
    main: String,
    /// Path of the small picture; null: none is recorded.
    #[schema(nullable)]
    sub: Option<String>,
    /// It asks for a login, which is in a file of the box.
    has_login: bool,
    /// False: it is switched off.
    enabled: bool,
    /// The volume that it is recorded to.
    volume: String,
    /// What it films for.
    #[schema(schema_with = words::purposes)]
    purposes: Vec<String>,
    /// How long its footage is kept, as the configuration writes it: `14 d`.
    keep: String,
    /// Why for more than 72 hours: at the camera, or for the whole site.
    #[schema(nullable)]
    justification: Option<String>,
    /// Why for more than 365 days.
    #[schema(nullable)]
    special_reason: Option<String>,
    /// Where the sentence for that stands.
    #[schema(nullable)]
    documented_in: Option<String>,
}

impl From<&CameraConfig> for CameraSettings {
    fn from(camera: &CameraConfig) -> Self {
        Self {
            camera: camera.id.clone(),
            name: camera.name.clone(),
            area: camera.area.clone(),
            address: camera.address.to_string(),
            transport: camera.transport.to_string(),
            main: camera.main.clone(),
            sub: camera.sub.clone(),
            has_login: camera.credentials.is_some(),
            enabled: camera.enabled,
            volume: camera.volume.clone(),
            purposes: camera.purposes.iter().map(ToString::to_string).collect(),
            keep: config::keep_text(camera.policy.main.keep_secs),
            justification: camera.policy.sentences.justification.clone(),
            special_reason: camera.policy.sentences.special_reason.clone(),
            documented_in: camera.policy.sentences.documented_in.clone(),
        }
    }
}

/// All cameras of the configuration in force.
#[derive(Debug, serde::Serialize, ToSchema)]
pub struct CamerasSettings {
    /// In the order of the configuration.
    cameras: Vec<CameraSettings>,
    /// What holds for a camera that says nothing itself.
    site: SiteRetention,
}

/// How long the site keeps footage where a camera says nothing itself, and why.
#[derive(Debug, serde::Serialize, ToSchema)]
pub struct SiteRetention {
    /// As the configuration writes it: `14 d`.
    keep: String,
    /// Why for more than 72 hours.
    #[schema(nullable)]
    justification: Option<String>,
    /// Why for more than 365 days.
    #[schema(nullable)]
    special_reason: Option<String>,
    /// Where the sentence for that stands.
    #[schema(nullable)]
    documented_in: Option<String>,
}

impl From<&SitePolicy> for SiteRetention {
    fn from(site: &SitePolicy) -> Self {
        let said = site.sentences.clone();
        Self {
            keep: config::keep_text(site.unsaid_keep_secs(said.justification.is_some())),
            justification: said.justification,
            special_reason: said.special_reason,
            documented_in: said.documented_in,
        }
    }
}

impl From<&Config> for CamerasSettings {
    fn from(config: &Config) -> Self {
        Self {
            cameras: config.cameras.iter().map(|c| c.as_ref().into()).collect(),
            site: (&config.retention).into(),
        }
    }
}
