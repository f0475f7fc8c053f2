//! All routes, each with its line of the matrix.

use std::sync::Arc;

use axum::Router;
use axum::middleware::from_fn_with_state;
use axum::routing::{delete, get, patch, post, put};

use crate::access::role::acts;
use crate::http::api::{
    alarms, camera_settings, cameras, coverage, deletions, disclosure_drafts, disclosure_papers,
    disclosure_scans, disclosure_steps, disclosures, document, enrolment, health, holds, ledger,
    live, media, notice, package_parts, packages, persons, playback, retention, rights, session,
    site, stills,
};
use crate::http::app::App;
use crate::http::guard::Routes;
use crate::http::house;
use crate::http::matrix::{self, Line};
use crate::http::pages;

/// A route with the line that the matrix has for it; without one it does not compile.
macro_rules! route {
    ($routes:expr, $method:literal $path:literal, $handler:expr) => {
        $routes.public(const { matrix::public($method, $path) }, $handler)
    };
    ($routes:expr, $method:literal $path:literal, $act:ty, $handler:expr) => {
        $routes.right::<$act>(const { matrix::right::<$act>($method, $path) }, $handler)
    };
}

/// The router of pages and API.
pub fn router(app: &Arc<App>) -> Router {
    let (router, _) = all(app);
    router
        .fallback(pages::page)
        .layer(from_fn_with_state(Arc::clone(app), house::rules))
        .with_state(Arc::clone(app))
}

/// Every route, and the lines that they answer.
pub fn all(app: &Arc<App>) -> (Router<Arc<App>>, Vec<Line>) {
    let routes = Routes::new(app);
    let routes = route!(routes, "GET" "/authority.crt", get(document::authority));
    let routes = route!(routes, "GET" "/api/v1/site", get(site::site));
    let routes = route!(routes, "GET" "/api/v1/notice", get(notice::notice));
    let routes = route!(routes, "GET" "/api/v1/openapi.json", acts::Own, get(document::document));
    let routes = sessions(routes);
    let routes = of_cameras(routes);
    let routes = configuration(routes);
    let routes = playbacks(routes);
    let routes = route!(routes, "GET" "/api/v1/health", acts::SeeHealth, get(health::health));
    let routes = route!(routes, "GET" "/api/v1/alarms", acts::SeeHealth, get(alarms::list));
    let routes = route!(
        routes, "POST" "/api/v1/alarms/{alarm}/acknowledgement", acts::ChangeBox,
        post(alarms::acknowledge)
    );
    let routes = of_retention(routes);
    let routes = of_disclosures(routes);
    let routes = scans(routes);
    let routes = disclosure_step(routes);
    let routes = of_packages(routes);
    let routes = disclosure_paper(routes);
    let routes = of_ledger(routes);
    let routes = deletions(routes);
    let routes = people(routes);
    routes.finish()
}

fn sessions(routes: Routes) -> Routes {
    let routes = route!(routes, "POST" "/api/v1/session", post(session::sign_in));
    let routes = route!(routes, "GET" "/api/v1/session", acts::Own, get(session::get));
    let routes = route!(routes, "DELETE" "/api/v1/session", acts::Own, delete(session::sign_out));
    let routes =
        route!(routes, "POST" "/api/v1/session/step-up", acts::Own, post(session::step_up));
    let routes = route!(routes, "POST" "/api/v1/session/vault", acts::Own, post(session::unlock));
    route!(
        routes, "POST" "/api/v1/session/password", acts::Own, post(session::change_password)
    )
}

fn of_cameras(routes: Routes) -> Routes {
    let routes = route!(routes, "GET" "/api/v1/purposes", acts::Live, get(cameras::purposes));
    let routes = route!(routes, "GET" "/api/v1/cameras", acts::Live, get(cameras::list));
    let routes = route!(routes, "GET" "/api/v1/cameras/{camera}", acts::Live, get(cameras::get));
    let routes = route!(
        routes, "GET" "/api/v1/cameras/{camera}/{stream}/live", acts::Live, get(live::watch)
    );
    let routes = route!(
        routes, "GET" "/api/v1/cameras/{camera}/{stream}/coverage", acts::Playback,
        get(coverage::coverage)
    );
    route!(
        routes, "GET" "/api/v1/cameras/{camera}/{stream}/activity", acts::Playback,
        get(coverage::activity)
    )
}

fn of_retention(routes: Routes) -> Routes {
    let routes = route!(routes, "GET" "/api/v1/retention", acts::SeeHealth, get(retention::report));
    let routes = route!(
        routes, "POST" "/api/v1/retention/shortenings/{shortening}/confirmation", acts::Approve,
        post(retention::confirm)
    );
    let routes = route!(routes, "GET" "/api/v1/holds", acts::SeeHolds, get(holds::list));
    let routes = route!(routes, "POST" "/api/v1/holds", acts::PlaceHold, post(holds::place));
    let routes = route!(routes, "GET" "/api/v1/holds/{hold}", acts::SeeHolds, get(holds::get));
    let routes = route!(
        routes, "POST" "/api/v1/holds/{hold}/review", acts::ReviewHold, post(holds::review)
    );
    let routes = route!(
        routes, "POST" "/api/v1/holds/{hold}/extension", acts::ExtendHold, post(holds::extend)
    );
    route!(
        routes, "POST" "/api/v1/holds/{hold}/release", acts::Decide, post(holds::release)
    )
}

fn of_disclosures(routes: Routes) -> Routes {
    let routes = route!(
        routes, "GET" "/api/v1/catalogue", acts::Records, get(disclosure_drafts::catalogue)
    );
    let routes = route!(
        routes, "POST" "/api/v1/disclosures/snap", acts::Ask, post(disclosure_drafts::snap)
    );
    let routes = route!(routes, "GET" "/api/v1/disclosures", acts::Records, get(disclosures::list));
    let routes = route!(
        routes, "POST" "/api/v1/disclosures", acts::Ask, post(disclosure_drafts::begin)
    );
    let routes = route!(
        routes, "GET" "/api/v1/disclosures/{disclosure}", acts::Records, get(disclosures::get)
    );
    let routes = route!(
        routes, "PUT" "/api/v1/disclosures/{disclosure}", acts::Ask, put(disclosure_drafts::save)
    );
    let routes = route!(
        routes, "DELETE" "/api/v1/disclosures/{disclosure}", acts::Ask,
        delete(disclosure_drafts::discard)
    );
    route!(
        routes, "POST" "/api/v1/disclosures/{disclosure}/request", acts::Ask,
        post(disclosure_drafts::request)
    )
}

fn scans(routes: Routes) -> Routes {
    let routes = route!(
        routes, "PUT" "/api/v1/disclosures/{disclosure}/scan", acts::Ask,
        put(disclosure_scans::put)
    );
    let routes = route!(
        routes, "GET" "/api/v1/disclosures/{disclosure}/scan", acts::Playback,
        get(disclosure_scans::get)
    );
    route!(
        routes, "DELETE" "/api/v1/disclosures/{disclosure}/scan", acts::Ask,
        delete(disclosure_scans::remove)
    )
}

fn of_packages(routes: Routes) -> Routes {
    let routes = route!(
        routes, "POST" "/api/v1/disclosures/{disclosure}/package", acts::HandOut,
        post(packages::start)
    );
    let routes = route!(
        routes, "GET" "/api/v1/disclosures/{disclosure}/package", acts::Ask, get(packages::get)
    );
    let routes = route!(
        routes, "DELETE" "/api/v1/disclosures/{disclosure}/package", acts::Ask,
        delete(packages::cancel)
    );
    route!(
        routes, "GET" "/api/v1/disclosures/{disclosure}/package/{part}", acts::HandOut,
        get(package_parts::part)
    )
}

fn disclosure_step(routes: Routes) -> Routes {
    let routes = route!(
        routes, "POST" "/api/v1/disclosures/{disclosure}/approval", acts::Approve,
        post(disclosure_steps::decide)
    );
    let routes = route!(
        routes, "POST" "/api/v1/disclosures/{disclosure}/approval/here", acts::Ask,
        post(disclosure_steps::decide_here)
    );
    let routes = route!(
        routes, "POST" "/api/v1/disclosures/{disclosure}/withdrawal", acts::Ask,
        post(disclosure_steps::withdraw)
    );
    let routes = route!(
        routes, "POST" "/api/v1/disclosures/{disclosure}/hand-over", acts::HandOut,
        post(disclosure_steps::hand_over)
    );
    let routes = route!(
        routes, "POST" "/api/v1/disclosures/{disclosure}/receipt", acts::HandOut,
        post(disclosure_steps::receive)
    );
    let routes = route!(
        routes, "POST" "/api/v1/disclosures/{disclosure}/destruction", acts::HandOut,
        post(disclosure_steps::destroy)
    );
    route!(
        routes, "POST" "/api/v1/disclosures/{disclosure}/review", acts::Records,
        post(disclosures::review)
    )
}

fn disclosure_paper(routes: Routes) -> Routes {
    let routes = route!(
        routes, "GET" "/api/v1/disclosures/{disclosure}/handover.pdf", acts::Records,
        get(disclosure_papers::handover)
    );
    let routes = route!(
        routes, "GET" "/api/v1/disclosures.csv", acts::Records, get(disclosure_papers::csv)
    );
    route!(
        routes, "GET" "/api/v1/disclosures.pdf", acts::Records, get(disclosure_papers::pdf)
    )
}

fn configuration(routes: Routes) -> Routes {
    let routes = route!(
        routes, "GET" "/api/v1/configuration/cameras", acts::SeeHealth, get(camera_settings::list)
    );
    let routes = route!(
        routes, "POST" "/api/v1/configuration/cameras", acts::ChangeBox, post(camera_settings::add)
    );
    let routes = route!(
        routes, "PATCH" "/api/v1/configuration/cameras/{camera}", acts::ChangeBox,
        patch(camera_settings::change_one)
    );
    route!(
        routes, "POST" "/api/v1/configuration/probe", acts::ChangeBox,
        post(camera_settings::try_one)
    )
}

fn of_ledger(routes: Routes) -> Routes {
    let routes = route!(
        routes, "GET" "/api/v1/ledger/entries", acts::Records, get(ledger::entries)
    );
    let routes = route!(
        routes, "GET" "/api/v1/ledger/entries/{seq}", acts::Records, get(ledger::entry)
    );
    let routes = route!(
        routes, "GET" "/api/v1/ledger/entries/{seq}/proof", acts::Records, get(ledger::proof)
    );
    let routes = route!(
        routes, "GET" "/api/v1/ledger/checkpoint", acts::Records, get(ledger::current)
    );
    let routes = route!(
        routes, "POST" "/api/v1/ledger/anchors", acts::Records, post(ledger::take)
    );
    route!(
        routes, "POST" "/api/v1/ledger/anchors/return", acts::Records, post(ledger::give_back)
    )
}

fn deletions(routes: Routes) -> Routes {
    let routes = route!(
        routes, "GET" "/api/v1/ledger/classes", acts::Records, get(deletions::classes)
    );
    let routes = route!(
        routes, "GET" "/api/v1/deletions/certificate.json", acts::Records,
        get(deletions::certificate_json)
    );
    route!(
        routes, "GET" "/api/v1/deletions/certificate.pdf", acts::Records,
        get(deletions::certificate_pdf)
    )
}

fn people(routes: Routes) -> Routes {
    let routes = route!(routes, "POST" "/api/v1/enrolment", post(enrolment::begin));
    let routes = route!(routes, "POST" "/api/v1/enrolment/code", post(enrolment::finish));
    let routes = route!(routes, "GET" "/api/v1/persons", acts::SeePeople, get(persons::list));
    let routes = route!(routes, "GET" "/api/v1/persons/{name}", acts::SeePeople, get(persons::get));
    let routes = route!(routes, "POST" "/api/v1/persons", acts::ChangePeople, post(rights::add));
    let routes = route!(
        routes, "DELETE" "/api/v1/persons/{name}", acts::ChangePeople, delete(rights::remove)
    );
    let routes = route!(
        routes, "POST" "/api/v1/persons/{name}/roles", acts::ChangePeople, post(rights::grant)
    );
    let routes = route!(
        routes, "DELETE" "/api/v1/persons/{name}/roles/{role}", acts::ChangePeople,
        delete(rights::revoke)
    );
    let routes = route!(
        routes, "POST" "/api/v1/persons/{name}/enrolment", acts::ChangePeople, post(rights::reset)
    );
    let routes = route!(
        routes, "PUT" "/api/v1/persons/{name}/undertaking", acts::ChangePeople, put(rights::sign)
    );
    let routes = route!(
        routes, "DELETE" "/api/v1/persons/{name}/undertaking", acts::ChangePeople,
        delete(rights::withdraw)
    );
    let routes = route!(
        routes, "PUT" "/api/v1/persons/{name}/validity", acts::ChangePeople, put(rights::validity)
    );
    let routes = route!(
        routes, "POST" "/api/v1/persons/{name}/review", acts::ChangePeople, post(rights::reviewed)
    );
    route!(
        routes, "POST" "/api/v1/persons/{name}/confirmation", acts::ConfirmRights,
        post(rights::confirm)
    )
}

fn playbacks(routes: Routes) -> Routes {
    let routes = route!(routes, "POST" "/api/v1/playbacks", acts::Playback, post(playback::open));
    let routes = route!(
        routes, "GET" "/api/v1/playbacks/{playback}", acts::Playback, get(playback::get)
    );
    let routes = route!(
        routes, "DELETE" "/api/v1/playbacks/{playback}", acts::Playback, delete(playback::close)
    );
    let routes = route!(
        routes, "GET" "/api/v1/playbacks/{playback}/{camera}/{stream}/groups", acts::Playback,
        get(playback::groups)
    );
    let routes = route!(
        routes, "POST" "/api/v1/playbacks/{playback}/{camera}/{stream}/stills", acts::HandOut,
        post(stills::take)
    );
    let routes = route!(
        routes, "GET" "/api/v1/playbacks/{playback}/{camera}/{stream}/init/{file}", acts::Playback,
        get(media::init)
    );
    route!(
        routes, "GET" "/api/v1/playbacks/{playback}/{camera}/{stream}/media/{segment}/{file}",
        acts::Playback, get(media::group)
    )
}
