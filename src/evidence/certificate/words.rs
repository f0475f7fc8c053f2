//! The words of the certificate, in each language: Finnish, Swedish, English.

use crate::document::{Words, words};

words! {
    TITLE: "Poistotodistus", "Raderingsintyg", "Deletion certificate";
    LEAD: "Tämä todistus kertoo, mitä kameravalvonnan tallenteita tämä tallennin on poistanut todistuksen ajanjaksolla ja millä perusteella. Se on koottu tallentimen lokista, jota ei voi muuttaa huomaamatta, ja sen voi tarkistaa ilman tallenninta.",
        "Detta intyg visar vilka inspelningar från kameraövervakningen som inspelaren har raderat under perioden och enligt vilken regel. Det är sammanställt ur inspelarens logg, som inte kan ändras obemärkt, och det kan kontrolleras utan inspelaren.",
        "This certificate says which recordings of the camera surveillance this recorder deleted within the period, and by which rule. It was compiled from the recorder's log, which cannot be altered unseen, and it can be checked without the recorder.";
    SITE: "Toimipaikka", "Verksamhetsställe", "Site";
    PERIOD: "Ajanjakso", "Period", "Period";
    CAMERAS: "Kamerat", "Kameror", "Cameras";
    ALL_CAMERAS: "kaikki", "alla", "all";
    MADE: "Laadittu", "Upprättat", "Made";
    BOX: "Tallentimen tunnus", "Inspelarens id", "Recorder";
    FINGERPRINT: "Avaimen sormenjälki", "Nyckelns fingeravtryck", "Fingerprint of its key";
    TOTAL: "Poistettu yhteensä", "Raderat totalt", "Deleted in all";
    TOTAL_IS: "{} jaksoa, {}, {} poistokerralla", "{} avsnitt, {}, i {} rensningar", "{} segments, {}, in {} sweeps";
    NOTHING: "Ajanjaksolla ei ole poistettu mitään.", "Inget har raderats under perioden.", "Nothing was deleted within the period.";

    WHAT: "Mitä poistettiin", "Vad som raderades", "What was deleted";
    WHAT_IS: "Tallenteet poistetaan jaksoina, joiden pituus on noin minuutti. Poistettaessa jakson salausavain tuhotaan ensin ja sitten tiedosto poistetaan.",
        "Inspelningar raderas i avsnitt på ungefär en minut. Först förstörs avsnittets krypteringsnyckel, sedan tas filen bort.",
        "Recordings are deleted in segments of about a minute. The segment's encryption key is destroyed first, then the file is removed.";
    STREAM: "Kamera ja kuva", "Kamera och bild", "Camera and picture";
    RULE: "Peruste", "Regel", "Rule";
    RECORDED: "Kuvattu", "Inspelat", "Recorded";
    SEGMENTS: "Jaksoja", "Avsnitt", "Segments";
    SIZE: "Koko", "Storlek", "Size";
    SUM: "Yhteensä", "Summa", "Total";
    MAIN: "täysi kuva", "full bild", "full picture";
    SUB: "pieni kuva", "liten bild", "small picture";
    EXPIRED: "säilytysaika päättyi", "lagringstiden gick ut", "time was over";
    EARLY: "tila loppui, ennen aikaa", "utrymmet tog slut, i förtid", "no room, before its time";

    WHEN: "Milloin poistettiin", "När det raderades", "When it was deleted";
    DAY: "Päivä", "Dag", "Day";
    SWEEPS: "Poistokertoja", "Rensningar", "Sweeps";
    OF_THEM_EARLY: "Niistä ennen aikaa", "Därav i förtid", "Of these early";

    EARLY_HEAD: "Ennen aikaa poistettu", "Raderat i förtid", "Deleted before its time";
    EARLY_NONE: "Mitään ei ole poistettu ennen säilytysajan päättymistä.", "Inget har raderats innan lagringstiden gick ut.", "Nothing was deleted before its time was over.";
    EARLY_SOME: "{} jaksoa ({}) poistettiin ennen säilytysajan päättymistä, koska levyllä ei ollut tilaa.",
        "{} avsnitt ({}) raderades innan lagringstiden gick ut, eftersom disken var full.",
        "{} segments ({}) were deleted before their time was over, since the disk had no room.";

    OLDER: "Onko vanhempaa jäljellä", "Finns det något äldre kvar", "Is anything older left";
    OLDER_ROWS_NONE: "Kun todistus laadittiin, tallentimen luettelossa ei ollut yhtään jaksoa, jonka säilytysaika olisi päättynyt yli kaksi minuuttia aiemmin ja jota mikään säilytyspäätös ei koske.",
        "När intyget upprättades fanns i inspelarens register inget avsnitt vars lagringstid hade gått ut mer än två minuter tidigare och som inget beslut om bevarande gäller.",
        "When this was made the recorder's index held no segment whose time had been over for more than two minutes and which no hold is about.";
    OLDER_ROWS_SOME: "HUOMIO: kun todistus laadittiin, {} jakson säilytysaika oli päättynyt yli kaksi minuuttia aiemmin eikä niitä ollut vielä poistettu (esimerkiksi vian vuoksi).",
        "OBS: när intyget upprättades hade lagringstiden för {} avsnitt gått ut mer än två minuter tidigare utan att de hade raderats (till exempel på grund av ett fel).",
        "NOTE: when this was made the time of {} segments had been over for more than two minutes and they were not deleted yet (for instance because of a fault).";
    SCANS_NONE: "Levyjä ei ole käyty läpi ajanjakson alun jälkeen, joten tiedostoista ei ole tässä havaintoa.",
        "Volymerna har inte gåtts igenom sedan periodens början, så intyget säger inget om filer.",
        "The volumes were not looked through since the beginning of the period, so there is no finding about files.";
    SCANS: "Levyjen tiedostot käydään läpi päivittäin. Viimeisimmät läpikäynnit:", "Volymernas filer gås igenom dagligen. De senaste genomgångarna:", "The files of the volumes are looked through daily. The last scans:";
    VOLUME: "Levy", "Volym", "Volume";
    AT: "Ajankohta", "Tidpunkt", "When";
    FILES: "Tiedostoja", "Filer", "Files";
    FOUND: "Liian vanhoja", "För gamla", "Too old";
    FAILURES: "Poistokerroilla jäi {} kertaa jakso poistamatta; se yritetään poistaa uudelleen kahdesti minuutissa.",
        "Vid rensningarna kunde ett avsnitt inte raderas {} gånger; nytt försök görs två gånger i minuten.",
        "At the ends of sweeps a segment was left {} times; it is tried again twice a minute.";

    KEPT: "Säilytysajat ja säilytyspäätökset", "Lagringstider och beslut om bevarande", "Times and holds";
    KEPT_IS: "Säilytysaika enintään", "Lagras högst", "Kept at most";
    NOT_CONFIGURED: "ei asetettu", "inte inställd", "not configured";
    DAYS: "{} vrk", "{} dygn", "{} d";
    HOURS: "{} h", "{} h", "{} h";
    HOLDS: "Kun todistus laadittiin, poistamisen estäviä säilytyspäätöksiä oli voimassa {}. Niiden sisältöä ei kerrota tässä.",
        "Antal beslut om bevarande som hindrade radering när intyget upprättades: {}. Deras innehåll anges inte här.",
        "Holds in force when this was made, which keep footage from being deleted: {}. What they are about is not said here.";

    NOT_PROVEN: "Mitä tämä todistus ei osoita", "Vad detta intyg inte visar", "What this certificate does not prove";
    NOT_1: "Ettei tallenteesta ole kopiota muualla. Luovutetut ja viedyt tallenteet, levyn tai tietovälineen aiemmin otetut kopiot ja ruudulta kuvattu kuva eivät ole tallentimen hallinnassa.",
        "Att det inte finns någon kopia någon annanstans. Utlämnade och exporterade inspelningar, tidigare kopior av disken och bilder tagna av en skärm ligger utanför inspelarens kontroll.",
        "That there is no copy elsewhere. What was handed out or exported, copies of the disk made before, and pictures taken of a screen are beyond the recorder.";
    NOT_2: "Ettei levyltä löydy salattuja jäänteitä. Avain on ylikirjoitettu ja tiedosto poistettu, mutta levy voi säilyttää vanhoja lohkoja. Jäänteet pysyvät salattuina; joka on ottanut levystä kopion ennen poistoa ja hallitsee lisäksi siihen sopivaa avainta, voi avata kopion.",
        "Att inga krypterade rester finns kvar på disken. Nyckeln har skrivits över och filen tagits bort, men en disk kan behålla gamla block. Resterna förblir krypterade; den som kopierade disken före raderingen och dessutom har en passande nyckel kan öppna kopian.",
        "That no encrypted remains are on the disk. The key was overwritten and the file removed, but a disk may keep old blocks. Remains stay encrypted; whoever copied the disk before the deletion and also has a key that fits can open that copy.";
    NOT_3: "Mitä poistetut tallenteet esittivät tai että kaikki tapahtunut oli alun perin tallennettu. Aukot tallennuksessa näkyvät lokissa, eivät tässä.",
        "Vad de raderade inspelningarna visade, eller att allt som hände hade spelats in. Luckor i inspelningen framgår av loggen, inte här.",
        "What the deleted recordings showed, or that everything that happened was recorded. Gaps in the recording are in the log, not here.";
    NOT_4: "Että tallennin on kirjannut totuuden. Joka hallitsee konetta pääkäyttäjänä, voi saada sen kirjaamaan muuta kuin mitä tapahtui. Todistus osoittaa, mitä kirjattiin ja ettei sitä ole sen jälkeen muutettu.",
        "Att inspelaren har antecknat sanningen. Den som har full kontroll över maskinen kan få den att anteckna något annat än det som hände. Intyget visar vad som antecknades och att det inte har ändrats sedan dess.",
        "That the recorder wrote the truth. Whoever is root on the machine can make it write what did not happen. The certificate shows what was written, and that it was not altered since.";
    NOT_5: "Ettei koko lokia ole kirjoitettu uudelleen ennen alla olevaa tarkistuspistettä. Sen osoittaa vain aiemmin talosta viety tarkistuspiste, johon tätä verrataan.",
        "Att hela loggen inte har skrivits om före kontrollpunkten nedan. Det visar endast en tidigare kontrollpunkt som har tagits ur huset och som denna jämförs med.",
        "That the log was not rewritten as a whole before the checkpoint below. Only an earlier checkpoint that left the house, and that this one is compared with, shows that.";

    PROOF: "Tarkistaminen", "Kontroll", "Checking";
    PROOF_IS: "Alkuperäinen on liitteenä oleva tiedosto certificate.json, jonka tiiviste on alla. Sen voi tarkistaa millä tahansa koneella: sinetti retention verify TIEDOSTO. Vertaa avaimen sormenjälkeä paperilla olevaan ja tarkistuspistettä aiemmin talteen otettuun.",
        "Originalet är den bifogade filen certificate.json, vars kontrollsumma anges nedan. Den kan kontrolleras på vilken dator som helst: sinetti retention verify FIL. Jämför nyckelns fingeravtryck med det på papper och kontrollpunkten med en som sparats tidigare.",
        "The original is the attached file certificate.json, whose hash is below. It can be checked on any machine: sinetti retention verify FILE. Compare the fingerprint of the key with the one on paper, and the checkpoint with one that was taken away earlier.";
    ORIGINAL_IS: "Alkuperäinen, allekirjoitettu todistus", "Originalet, signerat intyg", "The original, the signed certificate";
    ORIGINAL: "Alkuperäisen SHA-256", "Originalets SHA-256", "SHA-256 of the original";
    ROOT: "Merkle-juuri, {} poistokertaa", "Merklerot, {} rensningar", "Merkle root, {} sweeps";
    CHECKPOINT: "Tarkistuspiste", "Kontrollpunkt", "Checkpoint";
    CHECKPOINT_IS: "lokikausi {}, {} kirjausta", "epok {}, {} poster", "epoch {}, {} entries";
    CHECKPOINT_ROOT: "Lokin juuri", "Loggens rot", "Root of the log";
    HOLES: "HUOMIO: poistokertojen numeroinnista puuttuu {} numeroa.", "OBS: {} nummer saknas i numreringen av rensningarna.", "NOTE: {} numbers are missing in the numbering of sweeps.";
    SCAN_ME: "Koodissa on lokin allekirjoitettu tarkistuspiste sellaisena kuin se oli, kun todistus laadittiin:",
        "Koden innehåller loggens signerade kontrollpunkt som den var när intyget upprättades:",
        "The code holds the signed checkpoint of the log as it was when this was made:";
}

/// What it does not prove, in order.
pub(super) const NOT: [Words; 5] = [NOT_1, NOT_2, NOT_3, NOT_4, NOT_5];
