//! The words of the handover document, in each language: Finnish, Swedish, English.

use crate::catalog::{DisclosureKind, GapCause};
use crate::config::Purpose;
use crate::document::{Words, words};

words! {
    HANDOVER: "Luovutuspöytäkirja", "Utlämningsprotokoll", "Handover record";
    VIEWED: "Katselupöytäkirja", "Visningsprotokoll", "Record of viewing";
    SPOKEN: "Pöytäkirja suullisesta tiedosta", "Protokoll över muntlig uppgift", "Record of oral information";
    ANSWER: "Vastaus tietopyyntöön", "Svar på begäran om tillgång", "Answer to an access request";
    INNER: "Sisäinen luovutuspöytäkirja", "Internt utlämningsprotokoll", "Internal handover record";

    KIND_AUTHORITY: "Kameravalvonnan tallenteen luovutus viranomaiselle sen pyynnöstä", "Utlämnande av kameraövervakningsinspelning till en myndighet på dess begäran", "Footage of video surveillance, handed to an authority at its request";
    KIND_OWN: "Kameravalvonnan tallenteen luovutus viranomaiselle rekisterinpitäjän aloitteesta", "Utlämnande av kameraövervakningsinspelning till en myndighet på den personuppgiftsansvariges initiativ", "Footage of video surveillance, handed to an authority on the controller's own initiative";
    KIND_SEIZURE: "Kameravalvonnan tallenteen luovutus takavarikkoa tai jäljentämistä varten", "Utlämnande av kameraövervakningsinspelning för beslag eller kopiering", "Footage of video surveillance, handed over for seizure or copying";
    KIND_VIEWING: "Kameravalvonnan tallenteen katselu paikan päällä; kopiota ei ole annettu", "Visning av kameraövervakningsinspelning på plats; ingen kopia har lämnats ut", "Footage of video surveillance, viewed on the spot; no copy was given";
    KIND_ORAL: "Kameravalvonnan tallenteen sisällöstä kerrottu suullisesti; kopiota ei ole annettu", "Muntlig uppgift om innehållet i kameraövervakningsinspelning; ingen kopia har lämnats ut", "What footage of video surveillance shows, told by word of mouth; no copy was given";
    KIND_ACCESS: "Jäljennös kameravalvonnan tallenteesta rekisteröidylle (yleinen tietosuoja-asetus, 15 artikla)", "Kopia av kameraövervakningsinspelning till den registrerade (allmänna dataskyddsförordningen, artikel 15)", "Copy of footage of video surveillance for the data subject (General Data Protection Regulation, Article 15)";
    KIND_INTERNAL: "Kameravalvonnan tallenteen luovutus organisaation sisällä esimiehelle", "Utlämnande av kameraövervakningsinspelning inom organisationen till en chef", "Footage of video surveillance, handed to a supervisor within the organisation";
    KIND_MAINTENANCE: "Kameravalvonnan tallenteen luovutus huoltoa tai virhehälytyksen selvittämistä varten", "Utlämnande av kameraövervakningsinspelning för underhåll eller utredning av ett falskt larm", "Footage of video surveillance, handed over for maintenance or to clear up a false alarm";

    SITE: "Toimipaikka", "Verksamhetsställe", "Site";
    MADE: "Asiakirja laadittu", "Handlingen upprättad", "Document made";
    CONTROLLER: "Rekisterinpitäjä", "Personuppgiftsansvarig", "Controller";
    CONTACT: "Yhteystiedot", "Kontaktuppgifter", "Contact";

    REQUEST: "Pyyntö", "Begäran", "Request";
    INITIATIVE: "Ilmoitus", "Anmälan", "Report";
    RECEIVED: "Pyyntö saapunut", "Begäran inkommen", "Request received";
    NOTED: "Asia kirjattu", "Ärendet antecknat", "Noted";
    CHANNEL: "Saapumistapa", "Inkommen via", "Received by";
    WAY: "Tapa", "Sätt", "By";
    CASE: "Tutkinta- tai asianumero", "Undersöknings- eller ärendenummer", "Investigation or case number";
    RECORDED_BY: "Kirjannut", "Antecknat av", "Recorded by";
    APPEARANCE: "Tuntomerkit", "Kännetecken", "How the person is recognised";
    SORT: "Vastaanottajan laji", "Typ av mottagare", "Kind of recipient";
    IDENTITY: "Henkilöllisyys todettu luovutettaessa", "Identiteten fastställd vid utlämnandet", "Identity verified when handed over";
    BASIS: "Oikeusperuste", "Rättslig grund", "Legal basis";
    BASIS_VERSION: "Sanamuoto päätöstä tehtäessä; perusteluettelo {}", "Lydelse vid beslutet; förteckning över grunder {}", "As worded when it was decided; catalogue of bases {}";
    PURPOSE: "Käyttötarkoitus", "Ändamål", "Purpose";
    NECESSITY: "Luovutuksen tarpeellisuus", "Varför utlämnandet behövs", "Why it is needed";
    SECRECY: "Salassapito", "Sekretess", "Secrecy";
    SECRET: "Luovutuksesta ei toistaiseksi kerrota niille, joita tallenne koskee.", "De som inspelningen gäller underrättas tills vidare inte om utlämnandet.", "Those whom the footage is about are not told of it for now.";
    NOT_SECRET: "Ei erityistä salassapitoa.", "Ingen särskild sekretess.", "No particular secrecy.";
    HOLD: "Säilytyspäätös", "Beslut om bevarande", "Hold";

    RECIPIENT: "Vastaanottaja", "Mottagare", "Recipient";
    SUBJECT: "Rekisteröity", "Den registrerade", "Data subject";
    VIEWER: "Katsoja", "Den som har sett inspelningen", "Viewer";
    LISTENER: "Tiedon saaja", "Mottagare av uppgiften", "Who was told";
    ORGANISATION: "Viranomainen tai organisaatio", "Myndighet eller organisation", "Authority or organisation";
    UNIT: "Yksikkö", "Enhet", "Unit";
    PERSON: "Nimi", "Namn", "Name";
    RANK: "Virka-asema tai tehtävä", "Tjänsteställning eller uppgift", "Rank or position";
    IDENTIFIED: "Henkilöllisyys todettu", "Identiteten fastställd", "Identity verified from";
    IDENTIFIED_BY: "Toteaja", "Fastställd av", "Verified by";

    DECISION: "Päätös", "Beslut", "Decision";
    OUTCOME: "Ratkaisu", "Avgörande", "Outcome";
    GRANTED: "Luovutus hyväksytty", "Utlämnandet godkänt", "Approved";
    REFUSED: "Luovutus evätty", "Utlämnandet vägrat", "Refused";
    UNDECIDED: "Päätöstä ei ole tehty", "Inget beslut har fattats", "Not decided";
    DECIDED_AT: "Päätetty", "Beslutat", "Decided";
    DECIDED_BY: "Päättäjä", "Beslutsfattare", "Decided by";
    DECIDED_WHY: "Perustelut", "Motivering", "Reasons";

    FOOTAGE: "Kamerat ja ajat", "Kameror och tider", "Cameras and times";
    TIMES_ARE: "Kellonajat ovat paikallista aikaa; suluissa on ero UTC-aikaan. Luovutettava aika ulottuu lähimpiin kuvaryhmien rajoihin, joista tallenteen voi katkaista muuttamatta kuvaa.",
        "Klockslagen är lokal tid; skillnaden till UTC anges inom parentes. Den utlämnade tiden sträcker sig till närmaste gränser mellan bildgrupper, där inspelningen kan klippas utan att bilden ändras.",
        "Times are local; the difference from UTC is in brackets. What is given reaches to the nearest borders between groups of pictures, where footage can be cut without changing a picture.";
    TIMES_SHOWN: "Kellonajat ovat paikallista aikaa; suluissa on ero UTC-aikaan.", "Klockslagen är lokal tid; skillnaden till UTC anges inom parentes.", "Times are local; the difference from UTC is in brackets.";
    CAMERA: "Kamera", "Kamera", "Camera";
    AREA_IS: "alue: {}", "område: {}", "area: {}";
    ASKED: "Pyydetty aika", "Begärd tid", "Asked for";
    GIVEN: "Luovutettu aika", "Utlämnad tid", "Given";
    SHOWN: "Katseltu aika", "Visad tid", "Viewed";
    SPOKEN_OF: "Aika, josta kerrottiin", "Tid som uppgiften gäller", "Told about";
    CLOCK: "Laitteen kello: {}. Kameran kello: {}.", "Enhetens klocka: {}. Kamerans klocka: {}.", "Clock of the box: {}. Clock of the camera: {}.";
    CLOCK_KEPT: "tahdistettu, virhe enintään {} ms", "synkroniserad, fel högst {} ms", "synchronised, error at most {} ms";
    CLOCK_FREE: "ei tahdistettu koko aikaa", "inte synkroniserad hela tiden", "not synchronised all the time";
    OFFSET: "{} ms laitteen kellosta", "{} ms från enhetens klocka", "{} ms from that of the box";
    OFFSET_NONE: "kamera ei ilmoita aikaansa", "kameran anger inte sin tid", "the camera does not tell its time";
    UNCERTAIN: "HUOM: kello siirtyi tai kameran aika poikkesi liikaa; kellonaika on epävarma.", "OBS: klockan ställdes om eller kamerans tid avvek för mycket; klockslaget är osäkert.", "NOTE: a clock was set, or the camera's time drifted too far; the time of day is uncertain.";
    LOSSES: "Siirrossa kadonneita paketteja {}, vialliseksi hylättyjä kuvia {}, kameran ajan hyppäyksiä {}, lukukelvottomia jaksoja {}.", "Förlorade paket {}, bilder som förkastats som felaktiga {}, hopp i kamerans tid {}, oläsbara avsnitt {}.", "Packets lost {}, pictures left out as broken {}, jumps of the camera's time {}, segments that cannot be read {}.";
    NO_LOSSES: "Siirrossa ei kadonnut kuvaa.", "Inga bilder gick förlorade vid överföringen.", "Nothing was lost on the way.";
    ABSENT: "Aukot tallenteessa", "Luckor i inspelningen", "Gaps in the footage";
    NOT_ABSENT: "Luovutetulla ajalla ei ole aukkoja.", "Det finns inga luckor i den utlämnade tiden.", "There are no gaps in the time that is given.";
    NOT_ABSENT_ASKED: "Ajalla ei ole aukkoja.", "Det finns inga luckor i tiden.", "There are no gaps in that time.";
    FROM_TO: "Aika", "Tid", "Time";
    CAUSE: "Syy", "Orsak", "Cause";

    FILES: "Tiedostot", "Filer", "Files";
    FILES_ARE: "Tallenteet on siirretty kameran lähettäminä, kuvaa muuttamatta. Tiiviste yksilöi tiedoston: yhdenkin tavun muutos muuttaa sen.", "Inspelningarna är överförda som kameran sände dem, utan att bilden har ändrats. Kontrollsumman identifierar filen: ändras en enda byte ändras den.", "The pictures are as the camera sent them, unchanged. The hash identifies a file: a change of one byte changes it.";
    COPIES_ARE: "Katselukopio on tehty katsomista varten: kuva on koodattu uudelleen, eikä kopio ole todiste. Todiste on alkuperäinen tallenne.",
        "Visningskopian är gjord för att titta på: bilden är omkodad, och kopian är inget bevis. Bevis är den ursprungliga inspelningen.",
        "The viewing copy is for looking at: its pictures are coded anew, and it is no evidence. The original footage is.";
    VIEW_RECORDED: "Katselukopio: kameran pieni kuva sellaisena kuin se tallennettiin", "Visningskopia: kamerans lilla bild så som den spelades in", "Viewing copy: the small picture of the camera as it was recorded";
    VIEW_CODED: "Katselukopio tallenteesta {}, koodattu uudelleen", "Visningskopia av {}, omkodad", "Viewing copy of {}, coded anew";
    NO_VIEW_CODER: "Pyydettyä katselukopiota ei ole: tallentimessa ei ole ohjelmaa, joka tekee sen", "Den begärda visningskopian saknas: inspelaren har inte programmet som gör den", "The viewing copy asked for is not there: the recorder lacks the program that makes it";
    NO_VIEW_CODED: "Pyydettyä katselukopiota ei ole: kuvaa ei voitu koodata uudelleen", "Den begärda visningskopian saknas: bilden kunde inte omkodas", "The viewing copy asked for is not there: the pictures could not be coded anew";
    FILE: "Tiedosto", "Fil", "File";
    RECORDED: "Kuvattu", "Inspelat", "Recorded";
    SIZE: "Koko", "Storlek", "Size";
    BYTES: "tavua", "byte", "bytes";
    SUM: "Tiedostoja yhteensä {}", "Filer sammanlagt {}", "Files in all: {}";

    DELIVERY: "Luovuttaminen", "Utlämnande", "Handing over";
    MEDIUM: "Tallennusväline tai tapa", "Medium eller sätt", "Medium or way";
    ENCRYPTION: "Salaus", "Kryptering", "Encryption";
    ENCRYPTED: "AES-256; salasana annetaan erikseen", "AES-256; lösenordet ges separat", "AES-256; the passphrase is given separately";
    CLEAR: "Ei salattu", "Inte krypterad", "Not encrypted";
    TO: "Vastaanottaja", "Mottagare", "Handed over to";
    AT: "Luovutettu", "Utlämnat", "Handed over";
    SHOWN_AT: "Katseltu", "Visat", "Viewed";
    SPOKEN_AT: "Kerrottu", "Uppgiften lämnad", "Told";
    RECEIPT_AT: "Vastaanotto vahvistettu", "Mottagandet bekräftat", "Receipt confirmed";
    DESTROY_BY: "Luovuttaja hävittää omat kopionsa viimeistään", "Utlämnaren förstör sina egna kopior senast", "Own copies destroyed by";

    TOLD: "Tietojen käsittely", "Behandlingen av uppgifterna", "How the data are processed";
    TOLD_PURPOSES: "Käsittelyn tarkoitukset", "Ändamålen med behandlingen", "Purposes of processing";
    TOLD_DATA: "Henkilötiedot", "Personuppgifter", "Personal data";
    TOLD_DATA_ARE: "Kuva sekä kuvausaika ja -paikka. Ääntä ei tallenneta.", "Bild samt tid och plats för inspelningen. Ljud spelas inte in.", "Pictures, and the time and place of recording. No sound is recorded.";
    TOLD_RECIPIENTS: "Vastaanottajat", "Mottagare", "Recipients";
    TOLD_KEEP: "Säilytysaika enintään", "Lagringstid högst", "Kept at most";
    DAYS: "{} vuorokautta", "{} dygn", "{} days";
    HOURS: "{} tuntia", "{} timmar", "{} hours";
    TOLD_SOURCE: "Mistä tiedot ovat peräisin", "Varifrån uppgifterna kommer", "Where the data come from";
    TOLD_SOURCE_IS: "Merkityn alueen kamera", "Kameran på det skyltade området", "The camera of the marked area";
    TOLD_AUTOMATED: "Automaattinen päätöksenteko ja profilointi", "Automatiserat beslutsfattande och profilering", "Automated decisions and profiling";
    TOLD_AUTOMATED_NONE: "Ei ole. Kasvoja ei tunnisteta.", "Förekommer inte. Ansikten identifieras inte.", "None. No faces are recognised.";
    TOLD_OFFICER: "Tietosuojavastaava", "Dataskyddsombud", "Data protection officer";
    RIGHTS: "Oikeutesi", "Dina rättigheter", "Your rights";
    RIGHTS_ARE: "Sinulla on oikeus pyytää rekisterinpitäjältä tietojesi oikaisemista tai poistamista ja käsittelyn rajoittamista sekä vastustaa käsittelyä (yleinen tietosuoja-asetus, 16–18 ja 21 artikla). Pyyntö tehdään yllä mainitulle rekisterinpitäjälle.",
        "Du har rätt att av den personuppgiftsansvarige begära rättelse eller radering av dina uppgifter och begränsning av behandlingen samt att göra invändningar mot behandlingen (allmänna dataskyddsförordningen, artiklarna 16–18 och 21). Begäran riktas till den personuppgiftsansvarige som nämns ovan.",
        "You have the right to ask the controller to rectify or erase your data or to restrict their processing, and to object to the processing (General Data Protection Regulation, Articles 16 to 18 and 21). Ask the controller named above.";
    COMPLAINT: "Jos katsot, että tietojesi käsittely rikkoo tietosuojalainsäädäntöä, voit tehdä valituksen valvontaviranomaiselle: Tietosuojavaltuutetun toimisto, PL 800, 00531 Helsinki, tietosuoja.fi.",
        "Om du anser att behandlingen av dina uppgifter strider mot dataskyddslagstiftningen kan du lämna in ett klagomål till tillsynsmyndigheten: Dataombudsmannens byrå, PB 800, 00531 Helsingfors, tietosuoja.fi.",
        "If you consider that the processing of your data infringes data protection law, you may lodge a complaint with the supervisory authority: Office of the Data Protection Ombudsman (Tietosuojavaltuutetun toimisto), P.O. Box 800, 00531 Helsinki, tietosuoja.fi.";
    OTHERS: "Tallenteessa voi näkyä muita ihmisiä. Heidän oikeutensa ja vapautensa rajaavat sitä, mitä jäljennöksestä annetaan (15 artiklan 4 kohta) ja miten sitä saa käyttää.",
        "Andra människor kan synas i inspelningen. Deras rättigheter och friheter begränsar vad som ges av kopian (artikel 15.4) och hur den får användas.",
        "Other people may be seen in the footage. Their rights and freedoms limit what is given of it (Article 15(4)) and how it may be used.";

    CHECK: "Aitouden tarkistaminen", "Kontroll av äktheten", "Checking that it is genuine";
    BOX: "Tallentimen tunnus", "Inspelarens id", "Recorder";
    FINGERPRINT: "Avaimen sormenjälki", "Nyckelns fingeravtryck", "Fingerprint of its key";
    MANIFEST: "Luettelon (manifest.json) SHA-256", "SHA-256 för förteckningen (manifest.json)", "SHA-256 of the list (manifest.json)";
    ENTRY: "Lokin kirjaus", "Post i loggen", "Entry of the ledger";
    CHECKPOINT: "Lokin tarkistuspiste", "Loggens kontrollpunkt", "Checkpoint of the ledger";
    CHECKPOINT_IS: "lokikausi {}, {} kirjausta", "epok {}, {} poster", "epoch {}, {} entries";
    ROOT: "Tarkistuspisteen juuri", "Kontrollpunktens rot", "Root of the checkpoint";
    HOW: "Näin tarkistat: avaa paketin verify.html selaimessa ja valitse purettu kansio; verkkoa ei tarvita. Saman tekee komento sinetti verify KANSIO. Vertaa sitten avaimen sormenjälkeä tähän asiakirjaan ja kameravalvonnan julkiseen tietosuojaselosteeseen: vain sormenjälki osoittaa, miltä laitteelta tallenne on.",
        "Så kontrollerar du: öppna paketets verify.html i en webbläsare och välj den uppackade mappen; inget nätverk behövs. Kommandot sinetti verify MAPP gör detsamma. Jämför sedan nyckelns fingeravtryck med denna handling och med den offentliga informationen om kameraövervakningen: endast fingeravtrycket visar från vilken enhet inspelningen kommer.",
        "To check: open verify.html of the package in a browser and choose the unpacked folder; no network is needed. The command sinetti verify FOLDER does the same. Then compare the fingerprint of the key with this document and with the public privacy notice of the surveillance: only the fingerprint shows from which box the footage is.";
    HOW_NO_FILE: "Tästä luovutuksesta on kirjaus tallentimen lokissa, jota ei voi muuttaa huomaamatta. Vertaa avaimen sormenjälkeä kameravalvonnan julkiseen tietosuojaselosteeseen; tarkistuspisteellä näkee myöhemmin, onko lokia muutettu.",
        "Om detta utlämnande finns en post i inspelarens logg, som inte kan ändras obemärkt. Jämför nyckelns fingeravtryck med den offentliga informationen om kameraövervakningen; med kontrollpunkten syns senare om loggen har ändrats.",
        "The recorder's ledger, which cannot be altered unseen, has an entry of this. Compare the fingerprint of the key with the public privacy notice of the surveillance; with the checkpoint it shows later whether the ledger was altered.";
    SCAN_ME: "Koodissa ovat numero, sormenjälki, luettelon tiiviste ja allekirjoitettu tarkistuspiste sellaisena kuin se oli, kun asiakirja laadittiin. Säilytä se: jos loki myöhemmin kirjoitetaan uudelleen, tämä koodi paljastaa sen.",
        "Koden innehåller numret, fingeravtrycket, förteckningens kontrollsumma och den signerade kontrollpunkten som den var när handlingen upprättades. Bevara den: om loggen senare skrivs om avslöjar koden det.",
        "The code holds the number, the fingerprint, the hash of the list and the signed checkpoint as it was when this document was made. Keep it: should the ledger be rewritten later, this code shows it.";

    SIGN: "Kuittaus ja allekirjoitukset", "Kvittering och underskrifter", "Receipt and signatures";
    RECEIPT_COPY: "Luovuttaja on antanut ja vastaanottaja on ottanut vastaan tässä pöytäkirjassa yksilöidyt tallenteet. Vastaanottaja vastaa tallenteiden lainmukaisesta käsittelystä vastaanottamisesta alkaen.",
        "Utlämnaren har överlämnat och mottagaren har tagit emot de inspelningar som anges i detta protokoll. Mottagaren ansvarar för att inspelningarna behandlas lagenligt från och med mottagandet.",
        "The footage identified in this record was handed over by the one and received by the other. From then on the recipient answers for its lawful processing.";
    RECEIPT_VIEWED: "Vastaanottaja on katsonut tässä pöytäkirjassa yksilöidyt tallenteet paikan päällä. Kopiota ei ole annettu.",
        "Mottagaren har sett de inspelningar som anges i detta protokoll på plats. Ingen kopia har lämnats ut.",
        "The footage identified in this record was viewed on the spot. No copy was given.";
    RECEIPT_SPOKEN: "Vastaanottajalle on kerrottu suullisesti, mitä tässä pöytäkirjassa yksilöidyllä tallenteella näkyy. Tallennetta ei ole annettu eikä näytetty.",
        "Mottagaren har muntligen fått veta vad som syns i de inspelningar som anges i detta protokoll. Inspelningen har varken lämnats ut eller visats.",
        "What is to be seen in the footage identified in this record was told by word of mouth. The footage was neither given nor shown.";
    RECEIPT_SUBJECT: "Henkilöllisyys on todettu ennen luovutusta; henkilöllisyystodistuksesta ei ole otettu kopiota. Vastaanottaja on saanut tässä asiakirjassa yksilöidyt tallenteet.",
        "Identiteten har fastställts före utlämnandet; ingen kopia av identitetshandlingen har tagits. Mottagaren har fått de inspelningar som anges i denna handling.",
        "The identity was verified before the footage was handed over; no copy was made of the identity document. The recipient has received the footage identified in this document.";
    RECEIPT_INNER: "Vastaanottaja käyttää tallenteita vain yllä mainittuun tarkoitukseen, ei anna niitä edelleen ja hävittää ne, kun niitä ei enää tarvita.",
        "Mottagaren använder inspelningarna endast för ändamålet ovan, lämnar dem inte vidare och förstör dem när de inte längre behövs.",
        "The recipient uses the footage only for the purpose above, passes it to nobody, and destroys it when it is no longer needed.";
    TWO_COPIES: "Asiakirja on tehty kahtena samanlaisena kappaleena, yksi kummallekin.", "Handlingen har upprättats i två likalydande exemplar, ett för vardera parten.", "Made in two copies, one for each.";
    GIVER: "Luovuttaja", "Utlämnare", "Handed over by";
    GIVER_VIEWED: "Näyttäjä", "Den som visade", "Shown by";
    GIVER_SPOKEN: "Tiedon antaja", "Den som lämnade uppgiften", "Told by";
    RECEIVER: "Vastaanottaja", "Mottagare", "Received by";
    SIGN_PLACE: "Paikka ja aika", "Ort och tid", "Place and date";
    SIGN_NAME: "Allekirjoitus", "Underskrift", "Signature";
    SIGN_CLEAR: "Nimenselvennys ja asema", "Namnförtydligande och ställning", "Name in print and position";
}

words! {
    NOT_STARTED: "tallennus ei ollut käynnissä", "inspelningen var inte i gång", "the recorder had not started";
    STOPPED: "tallennus pysäytettiin", "inspelningen stoppades", "recording was stopped";
    KILLED: "laite sammui äkillisesti", "enheten stängdes av plötsligt", "the box went off suddenly";
    DISABLED: "kamera oli pois käytöstä", "kameran var avstängd", "the camera was switched off";
    REMOVED: "kamera oli poistettu", "kameran var borttagen", "the camera was removed";
    CONNECT_FAILED: "kameraan ei saatu yhteyttä", "kameran gick inte att nå", "the camera could not be reached";
    CAMERA_REFUSED: "kamera ei antanut kuvaa", "kameran gav ingen bild", "the camera gave no picture";
    CAMERA_CLOSED: "kamera katkaisi yhteyden", "kameran bröt förbindelsen", "the camera closed the connection";
    STALLED: "kamera ei lähettänyt kuvaa", "kameran skickade ingen bild", "the camera sent no picture";
    PROTOCOL: "kamera lähetti virheellistä", "kameran skickade felaktigt", "the camera sent what is wrong";
    NO_KEY_FRAME: "kamera ei lähettänyt avainkuvaa", "kameran skickade ingen nyckelbild", "the camera sent no key frame";
    STORAGE_SLOW: "levy oli liian hidas", "disken var för långsam", "the disk was too slow";
    DISK_FULL: "levy oli täynnä", "disken var full", "the disk was full";
    WRITE_ERROR: "levylle ei voinut kirjoittaa", "det gick inte att skriva på disken", "the disk could not be written";
    CLOCK_STEP: "kello siirtyi", "klockan ställdes om", "the clock was set";
    TIME_UNCERTAIN: "aika oli epävarma", "tiden var osäker", "the time was uncertain";
    VOLUME_MISSING: "levyä ei ollut", "disken saknades", "the disk was not there";
    UNREADABLE: "tallennetta ei voi lukea", "inspelningen går inte att läsa", "the recording cannot be read";
    INTERNAL: "laitteen vika", "fel i enheten", "a fault of the box";
    UNKNOWN: "syy ei ole enää tiedossa", "orsaken är inte längre känd", "the cause is not known any more";
    DELETED: "poistettu ennen luovutusta", "raderad före utlämnandet", "deleted before it was handed out";
}

words! {
    PURPOSE_PERSONS: "työntekijöiden ja asiakkaiden turvallisuus", "personalens och kundernas säkerhet", "safety of employees and customers";
    PURPOSE_PROPERTY: "omaisuuden suojaaminen", "skydd av egendom", "protection of property";
    PURPOSE_CRIME: "rikosten ennaltaehkäisy ja selvittäminen", "förebyggande och utredning av brott", "preventing and clearing up crime";
    PURPOSE_MISUSE: "väärinkäytösten selvittäminen", "utredning av missbruk", "clearing up misuse";
    PURPOSE_ALARMS: "väärien hälytysten selvittäminen", "utredning av falska larm", "clearing up false alarms";
    PURPOSE_IDENTIFICATION: "tiloissa liikkuvien tunnistaminen", "identifiering av personer som rör sig i lokalerna", "identifying persons who move in the premises";
    PURPOSE_MAINTENANCE: "asennus- ja huoltotyön apu", "hjälp vid installation och underhåll", "an aid in installation and maintenance";
}

/// What a camera films for.
pub(super) const fn purpose(purpose: Purpose) -> Words {
    match purpose {
        Purpose::Persons => PURPOSE_PERSONS,
        Purpose::Property => PURPOSE_PROPERTY,
        Purpose::Crime => PURPOSE_CRIME,
        Purpose::Misuse => PURPOSE_MISUSE,
        Purpose::FalseAlarms => PURPOSE_ALARMS,
        Purpose::Identification => PURPOSE_IDENTIFICATION,
        Purpose::Maintenance => PURPOSE_MAINTENANCE,
    }
}

/// Why nothing was recorded.
pub(super) const fn cause(cause: GapCause) -> Words {
    match cause {
        GapCause::NotStarted => NOT_STARTED,
        GapCause::Stopped => STOPPED,
        GapCause::Killed => KILLED,
        GapCause::Disabled => DISABLED,
        GapCause::Removed => REMOVED,
        GapCause::ConnectFailed => CONNECT_FAILED,
        GapCause::Refused => CAMERA_REFUSED,
        GapCause::CameraClosed => CAMERA_CLOSED,
        GapCause::Stalled => STALLED,
        GapCause::Protocol => PROTOCOL,
        GapCause::NoKeyFrame => NO_KEY_FRAME,
        GapCause::StorageSlow => STORAGE_SLOW,
        GapCause::DiskFull => DISK_FULL,
        GapCause::WriteError => WRITE_ERROR,
        GapCause::ClockStep => CLOCK_STEP,
        GapCause::TimeUncertain => TIME_UNCERTAIN,
        GapCause::VolumeMissing => VOLUME_MISSING,
        GapCause::Unreadable => UNREADABLE,
        GapCause::Internal => INTERNAL,
        GapCause::Unknown => UNKNOWN,
    }
}

/// What differs between kinds.
pub(super) struct Wording {
    /// The document's name.
    pub(super) title: Words,
    /// What it is, under the name.
    pub(super) kind: Words,
    /// Names of parts and fields.
    pub(super) request: Words,
    pub(super) received: Words,
    pub(super) channel: Words,
    pub(super) recipient: Words,
    pub(super) given: Words,
    pub(super) at: Words,
    /// Above the signatures.
    pub(super) receipt: Words,
    pub(super) giver: Words,
}

pub(super) const fn wording(kind: DisclosureKind) -> Wording {
    let copy = Wording {
        title: HANDOVER,
        kind: KIND_AUTHORITY,
        request: REQUEST,
        received: RECEIVED,
        channel: CHANNEL,
        recipient: RECIPIENT,
        given: GIVEN,
        at: AT,
        receipt: RECEIPT_COPY,
        giver: GIVER,
    };
    match kind {
        DisclosureKind::AuthorityRequest => copy,
        DisclosureKind::OwnInitiative => Wording {
            kind: KIND_OWN,
            request: INITIATIVE,
            received: NOTED,
            channel: WAY,
            ..copy
        },
        DisclosureKind::Seizure => Wording {
            kind: KIND_SEIZURE,
            ..copy
        },
        DisclosureKind::Viewing => Wording {
            title: VIEWED,
            kind: KIND_VIEWING,
            recipient: VIEWER,
            given: SHOWN,
            at: SHOWN_AT,
            receipt: RECEIPT_VIEWED,
            giver: GIVER_VIEWED,
            ..copy
        },
        DisclosureKind::Oral => Wording {
            title: SPOKEN,
            kind: KIND_ORAL,
            recipient: LISTENER,
            given: SPOKEN_OF,
            at: SPOKEN_AT,
            receipt: RECEIPT_SPOKEN,
            giver: GIVER_SPOKEN,
            ..copy
        },
        DisclosureKind::AccessRequest => Wording {
            title: ANSWER,
            kind: KIND_ACCESS,
            recipient: SUBJECT,
            receipt: RECEIPT_SUBJECT,
            ..copy
        },
        DisclosureKind::Internal => Wording {
            title: INNER,
            kind: KIND_INTERNAL,
            receipt: RECEIPT_INNER,
            ..copy
        },
        DisclosureKind::Maintenance => Wording {
            title: INNER,
            kind: KIND_MAINTENANCE,
            receipt: RECEIPT_INNER,
            ..copy
        },
    }
}
