//! One form for countries: ISO 3166-1 alpha-2 where there is one.
//!
//! Alerts, queries and machine-readable zones name countries by alpha-2, alpha-3 and the special codes of ICAO 9303
//! part 3 (section 5). Comparison needs one form; what is stored stays as it was given.

/// Alpha-3 to alpha-2 (ISO 3166-1), with withdrawn codes that old documents still carry.
const ALPHA_3: &str = "ABWAW AFGAF AGOAO AIAAI ALAAX ALBAL ANDAD AREAE ARGAR ARMAM ASMAS ATAAQ ATFTF ATGAG AUSAU AUTAT \
    AZEAZ BDIBI BELBE BENBJ BESBQ BFABF BGDBD BGRBG BHRBH BHSBS BIHBA BLMBL BLRBY BLZBZ BMUBM BOLBO BRABR BRBBB BRNBN \
    BTNBT BVTBV BWABW CAFCF CANCA CCKCC CHECH CHLCL CHNCN CIVCI CMRCM CODCD COGCG COKCK COLCO COMKM CPVCV CRICR CUBCU \
    CUWCW CXRCX CYMKY CYPCY CZECZ DEUDE DJIDJ DMADM DNKDK DOMDO DZADZ ECUEC EGYEG ERIER ESHEH ESPES ESTEE ETHET FINFI \
    FJIFJ FLKFK FRAFR FROFO FSMFM GABGA GBRGB GEOGE GGYGG GHAGH GIBGI GINGN GLPGP GMBGM GNBGW GNQGQ GRCGR GRDGD GRLGL \
    GTMGT GUFGF GUMGU GUYGY HKGHK HMDHM HNDHN HRVHR HTIHT HUNHU IDNID IMNIM INDIN IOTIO IRLIE IRNIR IRQIQ ISLIS ISRIL \
    ITAIT JAMJM JEYJE JORJO JPNJP KAZKZ KENKE KGZKG KHMKH KIRKI KNAKN KORKR KWTKW LAOLA LBNLB LBRLR LBYLY LCALC LIELI \
    LKALK LSOLS LTULT LUXLU LVALV MACMO MAFMF MARMA MCOMC MDAMD MDGMG MDVMV MEXMX MHLMH MKDMK MLIML MLTMT MMRMM MNEME \
    MNGMN MNPMP MOZMZ MRTMR MSRMS MTQMQ MUSMU MWIMW MYSMY MYTYT NAMNA NCLNC NERNE NFKNF NGANG NICNI NIUNU NLDNL NORNO \
    NPLNP NRUNR NZLNZ OMNOM PAKPK PANPA PCNPN PERPE PHLPH PLWPW PNGPG POLPL PRIPR PRKKP PRTPT PRYPY PSEPS PYFPF QATQA \
    REURE ROURO RUSRU RWARW SAUSA SDNSD SENSN SGPSG SGSGS SHNSH SJMSJ SLBSB SLESL SLVSV SMRSM SOMSO SPMPM SRBRS SSDSS \
    STPST SURSR SVKSK SVNSI SWESE SWZSZ SXMSX SYCSC SYRSY TCATC TCDTD TGOTG THATH TJKTJ TKLTK TKMTM TLSTL TONTO TTOTT \
    TUNTN TURTR TUVTV TWNTW TZATZ UGAUG UKRUA UMIUM URYUY USAUS UZBUZ VATVA VCTVC VENVE VGBVG VIRVI VNMVN VUTVU WLFWF \
    WSMWS YEMYE ZAFZA ZMBZM ZWEZW ROMRO ZARCD TMPTL RKSXK UNKXK";

/// A country or organisation in its one form: up to three characters, padded with zero bytes; all zero = unknown.
/// Longer codes are kept as three bytes of their hash, which no code of letters and digits can equal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Country(pub [u8; 3]);

impl Country {
    /// Not stated.
    pub const UNKNOWN: Country = Country([0; 3]);

    /// From a code in any of the known forms.
    pub fn new(code: &str) -> Self {
        let code: String =
            code.chars().filter(|character| character.is_alphanumeric()).flat_map(char::to_uppercase).collect();
        match code.as_str() {
            // The United Kingdom's classes of nationality and its car plates; Germany's one letter.
            "" | "XXX" => return Self::UNKNOWN,
            "GBD" | "GBN" | "GBO" | "GBP" | "GBS" | "UK" => return Self(*b"GB\0"),
            "D" => return Self(*b"DE\0"),
            _ => {}
        }
        if code.len() == 3
            && let Some(entry) = ALPHA_3.split_ascii_whitespace().find(|entry| entry.starts_with(&code))
        {
            return Self::padded(&entry.as_bytes()[3..]);
        }
        if code.len() <= 3 && code.is_ascii() {
            return Self::padded(code.as_bytes());
        }
        let hash = blake3::hash(code.as_bytes());
        let bytes = hash.as_bytes();
        Self([bytes[0] | 0x80, bytes[1], bytes[2]])
    }

    /// From an optional party.
    pub fn of(party: Option<&crate::pb::Party>) -> Self {
        party.map_or(Self::UNKNOWN, |party| Self::new(&party.code))
    }

    /// Stated at all.
    pub fn is_known(self) -> bool {
        self != Self::UNKNOWN
    }

    /// Both stated, and different.
    pub fn conflicts(self, other: Self) -> bool {
        self.is_known() && other.is_known() && self != other
    }

    fn padded(code: &[u8]) -> Self {
        let mut bytes = [0; 3];
        bytes[..code.len()].copy_from_slice(code);
        Self(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_forms_of_one_country_are_equal() {
        assert_eq!(Country::new("DEU"), Country::new("de"));
        assert_eq!(Country::new("D"), Country::new("DE"));
        assert_eq!(Country::new("D<<"), Country::new("DE"));
        assert_eq!(Country::new("GBR"), Country::new("GBD"));
        assert_eq!(Country::new("UTO"), Country(*b"UTO"));
        assert_ne!(Country::new("AUT"), Country::new("AUS"));
        assert!(!Country::new("XXX").is_known());
        assert!(Country::new("INTERPOL").is_known() && Country::new("INTERPOL") != Country::new("EUROPOL"));
        assert!(!Country::new("").conflicts(Country::new("FR")) && Country::new("IT").conflicts(Country::new("FR")));
    }

    #[test]
    fn the_table_is_well_formed() {
        let entries: Vec<_> = ALPHA_3.split_ascii_whitespace().collect();
        assert!(entries.iter().all(|entry| entry.len() == 5 && entry.bytes().all(|byte| byte.is_ascii_uppercase())));
        let mut alpha_3: Vec<_> = entries.iter().map(|entry| &entry[..3]).collect();
        alpha_3.sort_unstable();
        alpha_3.dedup();
        assert_eq!(alpha_3.len(), entries.len());
    }
}
