//! Alarms in the words of people: title, effect, and what to do. English is what commands and log say (`AlarmKind`); commands and
//! words of the log stay as they are in every language.

use crate::catalog::AlarmKind as K;
use crate::config::Language;

/// What stands around an alarm.
pub(super) struct Labels {
    pub raised: &'static str,
    pub cleared: &'static str,
    pub test: &'static str,
    pub test_text: &'static str,
    pub checkpoint: &'static str,
    pub checkpoint_text: &'static str,
    pub effect: &'static str,
    pub remedy: &'static str,
    pub since: &'static str,
    pub over: &'static str,
    pub alarm: &'static str,
    pub of_box: &'static str,
    pub sent: &'static str,
}

/// In a language.
pub(super) const fn labels(language: Language) -> &'static Labels {
    match language {
        Language::Fi => &Labels {
            raised: "HÄLYTYS",
            cleared: "ohi",
            test: "kokeilu",
            test_text: "Tämä on kokeilu: hälytykset tulevat perille.",
            checkpoint: "lokin tarkistuspiste",
            checkpoint_text: "Tallentimen lokin allekirjoitettu tarkistuspiste. Säilytä se paikassa, johon tallentimelta ei pääse: \
                              sillä näytetään toteen, ettei lokia ole jälkikäteen muutettu.",
            effect: "Vaikutus",
            remedy: "Mitä tehdä",
            since: "Alkoi",
            over: "Päättyi",
            alarm: "Hälytys",
            of_box: "tallennin",
            sent: "Lähetetty",
        },
        Language::Sv => &Labels {
            raised: "LARM",
            cleared: "över",
            test: "prov",
            test_text: "Detta är ett prov: larmen kommer fram.",
            checkpoint: "loggens kontrollpunkt",
            checkpoint_text: "Den undertecknade kontrollpunkten för inspelarens logg. Förvara den där man inte kommer åt den från \
                              inspelaren: med den visas att loggen inte har ändrats i efterhand.",
            effect: "Följd",
            remedy: "Vad göra",
            since: "Började",
            over: "Upphörde",
            alarm: "Larm",
            of_box: "inspelare",
            sent: "Skickat",
        },
        Language::En => &Labels {
            raised: "ALARM",
            cleared: "over",
            test: "test",
            test_text: "This is a test: alarms arrive.",
            checkpoint: "checkpoint of the ledger",
            checkpoint_text: "The signed checkpoint of the recorder's ledger. Keep it where nobody who can reach the recorder can \
                              change it: it shows that the ledger was not altered afterwards.",
            effect: "Effect",
            remedy: "What to do",
            since: "Since",
            over: "Over",
            alarm: "Alarm",
            of_box: "recorder",
            sent: "Sent",
        },
    }
}

/// A kind of alarm with its title, its effect, and what to do.
type Line = (K, &'static str, &'static str, &'static str);

/// Title, effect, what to do.
pub(super) fn of(kind: K, language: Language) -> (&'static str, &'static str, &'static str) {
    let lines = match language {
        Language::Fi => FINNISH,
        Language::Sv => SWEDISH,
        Language::En => &[],
    };
    let found = lines.iter().find(|(of, ..)| *of == kind);
    let english = (kind.as_str(), kind.effect(), kind.remedy());
    found.map_or(english, |(_, title, effect, remedy)| {
        (title, effect, remedy)
    })
}

const FINNISH: &[Line] = &[
    (
        K::CameraLost,
        "kameran kuvaa ei tule",
        "tätä kuvavirtaa ei tallennu",
        "tarkista kameran virta, johto, osoite ja salasana: sinetti camera probe",
    ),
    (
        K::Gap,
        "tallenteessa on aukko",
        "tätä kuvavirtaa ei tallennu, tai siitä puuttuu osia",
        "sinetti ls kertoo syyn: docs/operating.md, Gaps",
    ),
    (
        K::VolumeMissing,
        "tallennuslevy puuttuu",
        "sen kamerat eivät tallennu, eikä siinä olevaa voi näyttää eikä poistaa",
        "liitä levy, tai selvitä, miksi se on toisen tallentimen: sinetti doctor",
    ),
    (
        K::VolumeFull,
        "tallennuslevy on täynnä",
        "sen kamerat eivät tallennu",
        "katso, mitä muuta levyllä on, tai hanki suurempi levy",
    ),
    (
        K::VolumeFailing,
        "tallennuslevyssä on vika",
        "sen kamerat eivät tallennu, tai tallentuvat epävarmasti",
        "tutki levy ja vaihda se: dmesg, smartctl -a",
    ),
    (
        K::VolumeBehind,
        "tallennuslevy ei pysy mukana",
        "kuvia on häviämässä: levy ei ota niitä vastaan tarpeeksi nopeasti",
        "selvitä, mikä muu käyttää levyä: dmesg, smartctl -a; vähemmän kameroita levyä kohti",
    ),
    (
        K::SyncLag,
        "tallenne varmistuu levylle myöhässä",
        "sähkökatkossa häviäisi enemmän kuin pitäisi",
        "tutki levy: dmesg, smartctl -a",
    ),
    (
        K::SweepLate,
        "tallenteita ei ole poistettu ajallaan",
        "tallenteita säilyy kauemmin kuin saa; niitä ei voi näyttää",
        "sinetti retention kertoo, mikä on esteenä",
    ),
    (
        K::EarlyDeletion,
        "tallenteita poistuu ennen aikojaan",
        "tallenteet häviävät ennen aikaa, jonka ne olisi pidettävä",
        "hanki suurempi levy, tai säilytä tallenteita lyhyemmän ajan",
    ),
    (
        K::GuaranteeLost,
        "luvattu säilytysaika on rikkoutunut",
        "tallenteita, joiden luvattiin olevan tallessa, ei ole",
        "hanki suurempi levy tai lupaa lyhyempi aika: sinetti.toml, [retention]",
    ),
    (
        K::HoldReview,
        "säilytyspäätös odottaa tarkistusta",
        "tallenteita voi säilyä turhaan, tai niitä voi poistua, vaikka niitä tarvitaan",
        "tarkista päätös, jatka sitä tai pura se: sinetti hold list",
    ),
    (
        K::AnswerDue,
        "pyyntöön on vastattava pian",
        "rekisteröidyn pyyntöön vastattaisiin myöhässä",
        "ratkaise pyyntö ja luovuta jäljennös: sinetti disclosure list",
    ),
    (
        K::CopiesDue,
        "omat jäljennökset on hävitettävä",
        "luovutuksen omia jäljennöksiä säilyisi kauemmin kuin on sanottu",
        "hävitä ne, myös tallentimen ulkopuolelta, ja merkitse se: sinetti disclosure destroy",
    ),
    (
        K::ClockUnsynchronised,
        "mikään ei pidä kelloa ajassa",
        "tallenteiden ajat ovat vain niin tarkkoja kuin tallentimen oma kello",
        "tarkista aikapalvelu: timedatectl, chronyc sources",
    ),
    (
        K::ClockInDoubt,
        "kellonaikaan ei voi luottaa",
        "tallenteita ei poisteta, ennen kuin aikaan voi taas luottaa",
        "aseta kello, tai vahvista, että se on oikeassa: sinetti clock confirm",
    ),
    (
        K::ClockStepped,
        "kelloa siirrettiin",
        "tallenteet tämän ajan ympärillä on merkitty ajaltaan epävarmoiksi",
        "selvitä, kuka tai mikä asetti kellon: journalctl",
    ),
    (
        K::ScrubDamage,
        "tallenteita on vioittunut",
        "näitä jaksoja ei voi luovuttaa kokonaisina",
        "sinetti scrub nimeää ne; tutki levy: smartctl -a",
    ),
    (
        K::ScrubMissing,
        "tallenteita puuttuu",
        "nämä jaksot on menetetty",
        "sinetti check nimeää ne; selvitä, kuka ne poisti",
    ),
    (
        K::Stranger,
        "joku muu on koskenut tallenteisiin",
        "tallenteita on voitu poistaa tai muuttaa",
        "selvitä, kenellä on pääsy tähän koneeseen; sinetti check --deep; kuittaa sitten",
    ),
    (
        K::Certificate,
        "sivujen varmenne vanhenee pian",
        "selaimet eivät enää hyväksy sivuja",
        "uusi varmenne: docs/operating.md",
    ),
    (
        K::VaultHolder,
        "kohta kukaan ei voi katsoa tallenteita",
        "nyt tallentuva aukeaa vain palautusosilla",
        "jatka jonkun oikeutta katsoa tallenteita tai lisää henkilö: sinetti user list",
    ),
    (
        K::NoAnchor,
        "lokin tarkistuspistettä ei ole otettu talteen",
        "uudelleen kirjoitettua lokia ei huomattaisi",
        "ota tarkistuspiste talteen: sinetti ledger anchor",
    ),
    (
        K::LedgerTrouble,
        "lokia ei voi allekirjoittaa",
        "mitään ei luovuteta",
        "tarkista loki: sinetti ledger verify",
    ),
    (
        K::LedgerMirror,
        "lokin kopiota ei voi pitää",
        "loki häviäisi tilakansion mukana, tai levyllä on toinen loki",
        "sinetti status kertoo, mikä siinä on vialla",
    ),
    (
        K::BackupOverdue,
        "varmuuskopio on liian vanha, tai sitä ei ole",
        "jos tilakansio katoaa, henkilöt, oikeudet ja perustelut katoavat sen mukana",
        "sinetti backup KANSIO, ja ajastin, joka tekee sen",
    ),
    (
        K::OverAge,
        "jotakin säilytetään liian kauan",
        "tietoja säilyy kauemmin kuin saa",
        "sinetti ledger show --action over-age nimeää ne; poista se, mitä Sinetti ei saa poistaa itse",
    ),
    (
        K::Quarantine,
        "karanteeni täyttyi",
        "tiedostoja, joita ei voitu lukea, poistettiin ennen kuin kukaan katsoi niitä",
        "tutki levy: dmesg, smartctl -a; max_gib kohdassa [quarantine] antaa enemmän tilaa",
    ),
    (
        K::Delivery,
        "hälytykset eivät mene perille",
        "hälytyksistä ei saa tietää kukaan, joka ei itse katso",
        "tarkista vastaanottaja ja asetukset [alarm]: sinetti alarms test",
    ),
];

const SWEDISH: &[Line] = &[
    (
        K::CameraLost,
        "ingen bild från kameran",
        "denna ström spelas inte in",
        "kontrollera kamerans ström, kabel, adress och lösenord: sinetti camera probe",
    ),
    (
        K::Gap,
        "lucka i inspelningen",
        "denna ström spelas inte in, eller delar av den saknas",
        "sinetti ls säger varför: docs/operating.md, Gaps",
    ),
    (
        K::VolumeMissing,
        "inspelningsdisken saknas",
        "dess kameror spelas inte in, och det som finns där kan varken visas eller raderas",
        "anslut disken, eller ta reda på varför den hör till en annan inspelare: sinetti doctor",
    ),
    (
        K::VolumeFull,
        "inspelningsdisken är full",
        "dess kameror spelas inte in",
        "se vad annat som finns på disken, eller skaffa en större",
    ),
    (
        K::VolumeFailing,
        "fel på inspelningsdisken",
        "dess kameror spelas inte in, eller inte säkert",
        "undersök disken och byt den: dmesg, smartctl -a",
    ),
    (
        K::VolumeBehind,
        "inspelningsdisken hinner inte med",
        "bilder håller på att gå förlorade: disken tar inte emot dem tillräckligt snabbt",
        "se vad annat som använder disken: dmesg, smartctl -a; färre kameror per disk",
    ),
    (
        K::SyncLag,
        "inspelningen säkras för sent på disken",
        "vid strömavbrott skulle mer gå förlorat än det borde",
        "undersök disken: dmesg, smartctl -a",
    ),
    (
        K::SweepLate,
        "inspelningar har inte raderats i tid",
        "inspelningar bevaras längre än de får; de kan inte visas",
        "sinetti retention säger vad som hindrar",
    ),
    (
        K::EarlyDeletion,
        "inspelningar raderas i förtid",
        "inspelningar går förlorade före den tid som de borde bevaras",
        "skaffa en större disk, eller bevara inspelningar kortare tid",
    ),
    (
        K::GuaranteeLost,
        "den utlovade lagringstiden har brutits",
        "inspelningar som utlovades finnas kvar finns inte",
        "skaffa en större disk eller lova en kortare tid: sinetti.toml, [retention]",
    ),
    (
        K::HoldReview,
        "ett beslut om bevarande väntar på granskning",
        "inspelningar kan bevaras i onödan, eller raderas fastän de behövs",
        "granska beslutet, förläng det eller häv det: sinetti hold list",
    ),
    (
        K::AnswerDue,
        "en begäran ska besvaras snart",
        "den registrerades begäran skulle besvaras för sent",
        "avgör begäran och lämna ut kopian: sinetti disclosure list",
    ),
    (
        K::CopiesDue,
        "egna kopior ska förstöras",
        "egna kopior av ett utlämnande skulle bevaras längre än som sagts",
        "förstör dem, även utanför inspelaren, och anteckna det: sinetti disclosure destroy",
    ),
    (
        K::ClockUnsynchronised,
        "ingenting håller klockan rätt",
        "inspelningarnas tider är bara så goda som inspelarens egen klocka",
        "kontrollera tidstjänsten: timedatectl, chronyc sources",
    ),
    (
        K::ClockInDoubt,
        "klockan går inte att lita på",
        "inspelningar raderas inte förrän den går att lita på igen",
        "ställ klockan, eller bekräfta att den går rätt: sinetti clock confirm",
    ),
    (
        K::ClockStepped,
        "klockan ställdes om",
        "inspelningar kring denna tid är märkta som osäkra i tiden",
        "ta reda på vem eller vad som ställde klockan: journalctl",
    ),
    (
        K::ScrubDamage,
        "inspelningar har skadats",
        "dessa avsnitt kan inte lämnas ut hela",
        "sinetti scrub nämner dem; undersök disken: smartctl -a",
    ),
    (
        K::ScrubMissing,
        "inspelningar saknas",
        "dessa avsnitt är förlorade",
        "sinetti check nämner dem; ta reda på vem som tog bort dem",
    ),
    (
        K::Stranger,
        "någon annan har rört inspelningarna",
        "inspelningar kan ha tagits bort eller ändrats",
        "ta reda på vem som kommer åt denna maskin; sinetti check --deep; kvittera sedan",
    ),
    (
        K::Certificate,
        "sidornas certifikat går snart ut",
        "webbläsare godtar inte längre sidorna",
        "förnya det: docs/operating.md",
    ),
    (
        K::VaultHolder,
        "snart kan ingen se inspelningarna",
        "det som nu spelas in öppnas bara med återställningsdelarna",
        "förläng eller lägg till någon som får se inspelningar: sinetti user list",
    ),
    (
        K::NoAnchor,
        "loggens kontrollpunkt har inte tagits till vara",
        "en omskriven logg skulle inte märkas",
        "ta kontrollpunkten till vara: sinetti ledger anchor",
    ),
    (
        K::LedgerTrouble,
        "loggen kan inte undertecknas",
        "ingenting lämnas ut",
        "kontrollera loggen: sinetti ledger verify",
    ),
    (
        K::LedgerMirror,
        "kopian av loggen kan inte hållas",
        "loggen skulle försvinna med tillståndsmappen, eller så har disken en annan logg",
        "sinetti status säger vad som är fel med den",
    ),
    (
        K::BackupOverdue,
        "säkerhetskopian är för gammal, eller så finns ingen",
        "om tillståndsmappen förloras går personer, rättigheter och motiveringar med den",
        "sinetti backup MAPP, och en timer som gör det",
    ),
    (
        K::OverAge,
        "något bevaras för länge",
        "uppgifter bevaras längre än de får",
        "sinetti ledger show --action over-age nämner dem; ta bort det som Sinetti inte får ta bort självt",
    ),
    (
        K::Quarantine,
        "karantänen blev full",
        "filer som inte kunde läsas raderades innan någon tittade på dem",
        "undersök disken: dmesg, smartctl -a; max_gib under [quarantine] ger mer utrymme",
    ),
    (
        K::Delivery,
        "larmen kommer inte fram",
        "ingen som inte själv tittar får veta om larm",
        "kontrollera mottagaren och inställningarna [alarm]: sinetti alarms test",
    ),
];
