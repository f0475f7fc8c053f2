//! The words of the register on paper and of its columns, in each language: Finnish, Swedish, English.

use crate::catalog::{DisclosureKind, DisclosureState};
use crate::disclosure::paper::register::Filter;
use crate::document::{Words, words};

/// What stands for what is not there.
pub(super) const MISSING: &str = "–";

words! {
    TITLE: "Luovutusrekisteri", "Register över utlämnanden", "Register of disclosures";
    SITE: "Toimipaikka", "Verksamhetsställe", "Site";
    MADE: "Ote laadittu", "Utdraget gjort", "Extract made";
    MADE_BY: "Laatija", "Gjort av", "Made by";
    FILTERS: "Rajaus", "Avgränsning", "Filters";
    NO_FILTER: "ei rajausta, kaikki luovutukset", "ingen avgränsning, alla utlämnanden", "none, all disclosures";
    FOUND: "Löytyi", "Hittades", "Found";
    FOUND_IS: "{} luovutusta; tutkittuja {}", "{} utlämnanden; {} genomsökta", "{} disclosures; {} searched";
    CHAIN: "Loki", "Logg", "Ledger";
    INTACT: "{} kirjausta, ketju eheä", "{} poster, kedjan är hel", "{} entries, chain intact";
    BROKEN: "{} kirjausta; HUOM: KETJU EI OLE EHEÄ", "{} poster; OBS: KEDJAN ÄR INTE HEL", "{} entries; NOTE: THE CHAIN IS NOT INTACT";
    NOTHING: "Rajaukseen osuvia luovutuksia ei ole.", "Inga utlämnanden motsvarar avgränsningen.", "No disclosure matches the filters.";
    NOT_ALL: "HUOM: taulukossa on vain {} luovutusta löytyneistä {} luovutuksesta. Rajaa hakua.", "OBS: tabellen visar endast {} av {} utlämnanden. Avgränsa sökningen.", "NOTE: the table has only {} of {} disclosures. Narrow the search.";

    NUMBER: "Numero", "Nummer", "Number";
    KIND: "Laji", "Slag", "Kind";
    STATE: "Tila", "Läge", "State";
    KIND_AND_STATE: "Laji ja tila", "Slag och läge", "Kind and state";
    RECIPIENT: "Vastaanottaja", "Mottagare", "Recipient";
    CAMERAS: "Kamerat ja ajat", "Kameror och tider", "Cameras and times";
    BASIS_AND_PURPOSE: "Peruste ja tarkoitus", "Grund och ändamål", "Basis and purpose";
    STEPS: "Vaiheet", "Skeden", "Steps";
    REQUESTED: "Pyydetty", "Begärt", "Requested";
    DECIDED: "Hyväksytty", "Godkänt", "Approved";
    REFUSED: "Evätty", "Vägrat", "Refused";
    HANDED_OVER: "Luovutettu", "Utlämnat", "Handed over";
    RECEIVED: "Kuitattu", "Kvitterat", "Receipt";
    DESTROYED: "Omat kopiot hävitetty", "Egna kopior förstörda", "Own copies destroyed";
    REVIEWED: "Tarkastettu", "Granskat", "Reviewed";

    ASKED_BY: "Pyytäjä", "Begärt av", "Asked by";
    CASE: "Tutkinta- tai asianumero", "Undersöknings- eller ärendenummer", "Investigation or case number";
    BASIS: "Oikeusperuste", "Rättslig grund", "Legal basis";
    PURPOSE: "Käyttötarkoitus", "Ändamål", "Purpose";
    CAMERA: "Kamera", "Kamera", "Camera";
    CAMERA_ID: "Kameran tunnus", "Kamerans id", "Camera id";
    FROM: "Tallenne alkaa", "Inspelningen börjar", "Footage from";
    TO: "Tallenne päättyy", "Inspelningen slutar", "Footage to";
    REQUESTED_AT: "Pyydetty", "Begärt", "Requested";
    DECIDED_AT: "Päätetty", "Beslutat", "Decided";
    DECIDED_BY: "Päättäjät", "Beslutsfattare", "Decided by";
    DESTROYED_AT: "Omat kopiot hävitetty", "Egna kopior förstörda", "Own copies destroyed";
    RECEIVED_AT: "Vastaanotto vahvistettu", "Mottagandet bekräftat", "Receipt confirmed";
    MANIFEST: "Luettelon SHA-256", "Förteckningens SHA-256", "SHA-256 of the manifest";

    FOOTAGE: "Kuvattu", "Inspelat", "Recorded";
    PERSON: "Henkilö", "Person", "Person";
}

words! {
    KIND_AUTHORITY: "Viranomaisen pyyntö", "Myndighets begäran", "Authority's request";
    KIND_OWN: "Oma-aloitteinen luovutus", "På eget initiativ", "Own initiative";
    KIND_SEIZURE: "Takavarikko", "Beslag", "Seizure";
    KIND_VIEWING: "Katselu paikan päällä", "Visning på plats", "Viewing on the spot";
    KIND_ORAL: "Suullinen tieto", "Muntlig uppgift", "Oral information";
    KIND_ACCESS: "Rekisteröidyn pyyntö", "Den registrerades begäran", "Access request";
    KIND_INTERNAL: "Sisäinen luovutus", "Internt utlämnande", "Internal";
    KIND_MAINTENANCE: "Huolto tai virhehälytys", "Underhåll eller falskt larm", "Maintenance or false alarm";

    STATE_DRAFT: "luonnos", "utkast", "draft";
    STATE_REQUESTED: "odottaa päätöstä", "väntar på beslut", "waits for a decision";
    STATE_APPROVED: "hyväksytty", "godkänt", "approved";
    STATE_REFUSED: "evätty", "vägrat", "refused";
    STATE_PREPARED: "paketti valmis", "paketet färdigt", "package ready";
    STATE_HANDED_OVER: "luovutettu", "utlämnat", "handed over";
    STATE_RECEIVED: "vastaanotto vahvistettu", "mottagandet bekräftat", "receipt confirmed";
    STATE_DESTROYED: "omat kopiot hävitetty", "egna kopior förstörda", "own copies destroyed";
    STATE_WITHDRAWN: "peruttu", "återtaget", "withdrawn";
}

/// The columns of the CSV, in order.
pub(super) const COLUMNS: [Words; 20] = [
    NUMBER,
    KIND,
    STATE,
    REQUESTED_AT,
    ASKED_BY,
    RECIPIENT,
    CASE,
    BASIS,
    PURPOSE,
    CAMERA,
    CAMERA_ID,
    FROM,
    TO,
    DECIDED_AT,
    DECIDED_BY,
    HANDED_OVER,
    RECEIVED_AT,
    DESTROYED_AT,
    REVIEWED,
    MANIFEST,
];

/// What a disclosure is.
pub(super) const fn kind(kind: DisclosureKind) -> Words {
    match kind {
        DisclosureKind::AuthorityRequest => KIND_AUTHORITY,
        DisclosureKind::OwnInitiative => KIND_OWN,
        DisclosureKind::Seizure => KIND_SEIZURE,
        DisclosureKind::Viewing => KIND_VIEWING,
        DisclosureKind::Oral => KIND_ORAL,
        DisclosureKind::AccessRequest => KIND_ACCESS,
        DisclosureKind::Internal => KIND_INTERNAL,
        DisclosureKind::Maintenance => KIND_MAINTENANCE,
    }
}

/// How far it is.
pub(super) const fn state(state: DisclosureState) -> Words {
    match state {
        DisclosureState::Draft => STATE_DRAFT,
        DisclosureState::Requested => STATE_REQUESTED,
        DisclosureState::Approved => STATE_APPROVED,
        DisclosureState::Refused => STATE_REFUSED,
        DisclosureState::Prepared => STATE_PREPARED,
        DisclosureState::HandedOver => STATE_HANDED_OVER,
        DisclosureState::Received => STATE_RECEIVED,
        DisclosureState::Destroyed => STATE_DESTROYED,
        DisclosureState::Withdrawn => STATE_WITHDRAWN,
    }
}

/// What a search goes by.
pub(super) const fn filter(filter: Filter) -> Words {
    match filter {
        Filter::Camera => CAMERA,
        Filter::Footage => FOOTAGE,
        Filter::Disclosed => HANDED_OVER,
        Filter::Recipient => RECIPIENT,
        Filter::Person => PERSON,
        Filter::State => STATE,
        Filter::Kind => KIND,
        Filter::Basis => BASIS,
    }
}
