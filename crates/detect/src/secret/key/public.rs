//! The public half of a key: what makes two private keys the same one, whatever file they lie in.

use super::der::{self, Der};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use curve25519_dalek::{EdwardsPoint, MontgomeryPoint};
use lidless_io::number;
use sha2::{Digest, Sha256, Sha512};

/// The public half, read or computed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Public {
    Rsa {
        n: Vec<u8>,
        e: Vec<u8>,
    },
    Dsa {
        p: Vec<u8>,
        q: Vec<u8>,
        g: Vec<u8>,
        y: Vec<u8>,
    },
    Ec {
        curve: Curve,
        point: Vec<u8>,
    },
    Ed25519([u8; 32]),
    X25519([u8; 32]),
    /// Something else, by name.
    Other {
        name: String,
        bytes: Vec<u8>,
    },
}

/// Curves of ECDSA and ECDH.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Curve {
    P224,
    P256,
    P384,
    P521,
    Secp256k1,
    Brainpool256,
    Brainpool384,
    Brainpool512,
}

/// Name, name in SSH (empty when it has none), object identifier, bits.
type CurveRow = (Curve, &'static str, &'static str, &'static [u8], usize);

const CURVES: [CurveRow; 8] = [
    (Curve::P224, "P-224", "", &[0x2b, 0x81, 0x04, 0x00, 0x21], 224),
    (Curve::P256, "P-256", "nistp256", &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07], 256),
    (Curve::P384, "P-384", "nistp384", &[0x2b, 0x81, 0x04, 0x00, 0x22], 384),
    (Curve::P521, "P-521", "nistp521", &[0x2b, 0x81, 0x04, 0x00, 0x23], 521),
    (Curve::Secp256k1, "secp256k1", "", &[0x2b, 0x81, 0x04, 0x00, 0x0a], 256),
    (
        Curve::Brainpool256,
        "brainpoolP256r1",
        "",
        &[0x2b, 0x24, 0x03, 0x03, 0x02, 0x08, 0x01, 0x01, 0x07],
        256,
    ),
    (
        Curve::Brainpool384,
        "brainpoolP384r1",
        "",
        &[0x2b, 0x24, 0x03, 0x03, 0x02, 0x08, 0x01, 0x01, 0x0b],
        384,
    ),
    (
        Curve::Brainpool512,
        "brainpoolP512r1",
        "",
        &[0x2b, 0x24, 0x03, 0x03, 0x02, 0x08, 0x01, 0x01, 0x0d],
        512,
    ),
];

const RSA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01];
const RSA_PSS: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0a];
const DSA: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x38, 0x04, 0x01];
const EC: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01];
const X25519: &[u8] = &[0x2b, 0x65, 0x6e];
const X448: &[u8] = &[0x2b, 0x65, 0x6f];
const ED25519: &[u8] = &[0x2b, 0x65, 0x70];
const ED448: &[u8] = &[0x2b, 0x65, 0x71];

impl Curve {
    fn row(self) -> CurveRow {
        // The row of every curve is in the table; the first stands in for none.
        let [first, ..] = CURVES;
        CURVES.into_iter().find(|row| row.0 == self).unwrap_or(first)
    }

    pub(super) fn of_oid(oid: &[u8]) -> Option<Self> {
        CURVES.iter().find(|row| row.3 == oid).map(|row| row.0)
    }

    /// By its name in SSH or JOSE.
    pub(super) fn of_name(name: &str) -> Option<Self> {
        CURVES.iter().find(|row| row.1 == name || row.2 == name && !name.is_empty()).map(|r| r.0)
    }

    /// How many bytes a coordinate has.
    pub(super) fn width(self) -> usize {
        self.row().4.div_ceil(8)
    }
}

/// What an `AlgorithmIdentifier` says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Algorithm<'a> {
    Rsa,
    Dsa(&'a [u8], &'a [u8], &'a [u8]),
    Ec(Option<Curve>),
    Ed25519,
    X25519,
    Named(&'static str),
    Unknown,
}

impl<'a> Algorithm<'a> {
    /// Reads the content of an `AlgorithmIdentifier`.
    pub(super) fn read(mut der: Der<'a>) -> Option<Self> {
        Some(match der.take(der::OID)? {
            RSA | RSA_PSS => Self::Rsa,
            DSA => {
                let mut values = der.enter(der::SEQUENCE)?;
                Self::Dsa(values.number()?, values.number()?, values.number()?)
            }
            EC => Self::Ec(der.take(der::OID).and_then(Curve::of_oid)),
            X25519 => Self::X25519,
            ED25519 => Self::Ed25519,
            X448 => Self::Named("X448"),
            ED448 => Self::Named("Ed448"),
            _ => Self::Unknown,
        })
    }

    /// The name when there is no public half to measure.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Rsa => "RSA",
            Self::Dsa(..) => "DSA",
            Self::Ec(Some(curve)) => curve.row().1,
            Self::Ec(None) => "EC",
            Self::Ed25519 => "Ed25519",
            Self::X25519 => "X25519",
            Self::Named(name) => name,
            Self::Unknown => "key of an unknown kind",
        }
    }
}

impl Public {
    /// An RSA key, when the numbers can be one.
    pub(super) fn rsa(n: &[u8], e: &[u8]) -> Option<Self> {
        let (n, e) = (der::bare(n), der::bare(e));
        // 512 bits is what broken old ones have; an exponent is small and odd.
        let holds = n.len() >= 32 && (1..=n.len()).contains(&e.len());
        let odd = n.last()? & 1 == 1 && e.last()? & 1 == 1;
        (holds && odd).then(|| Self::Rsa { n: n.to_vec(), e: e.to_vec() })
    }

    pub(super) fn dsa(p: &[u8], q: &[u8], g: &[u8], y: &[u8]) -> Option<Self> {
        let [p, q, g, y] = [p, q, g, y].map(|number| der::bare(number).to_vec());
        (p.len() >= 32 && !q.is_empty() && !y.is_empty()).then_some(Self::Dsa { p, q, g, y })
    }

    /// A point of a curve, uncompressed, or compressed as it came.
    pub(super) fn ec(curve: Curve, point: &[u8]) -> Option<Self> {
        let width = curve.width();
        let whole = match point.first()? {
            4 => width.checked_mul(2)?.checked_add(1)?,
            2 | 3 => width.checked_add(1)?,
            _ => return None,
        };
        (point.len() == whole).then(|| Self::Ec { curve, point: point.to_vec() })
    }

    /// The public half of the seed of an Ed25519 key (RFC 8032, 5.1.5).
    pub(super) fn of_ed25519(seed: &[u8]) -> Option<Self> {
        let seed: [u8; 32] = seed.try_into().ok()?;
        let mut hash: [u8; 64] = Sha512::digest(seed).into();
        let scalar = number::array::<32>(&hash, 0)?;
        let point = EdwardsPoint::mul_base_clamped(scalar);
        zeroize::Zeroize::zeroize(&mut hash);
        Some(Self::Ed25519(point.compress().to_bytes()))
    }

    /// The public half of an X25519 key (RFC 7748).
    pub(super) fn of_x25519(scalar: &[u8]) -> Option<Self> {
        let scalar: [u8; 32] = scalar.try_into().ok()?;
        Some(Self::X25519(MontgomeryPoint::mul_base_clamped(scalar).to_bytes()))
    }

    /// Reads the content of a `SubjectPublicKeyInfo`.
    pub(super) fn of_spki(mut der: Der<'_>) -> Option<Self> {
        let algorithm = Algorithm::read(der.enter(der::SEQUENCE)?)?;
        let (_, bits) = der.take(der::BITS)?.split_first()?;
        match algorithm {
            Algorithm::Rsa => {
                let mut numbers = Der::new(bits).enter(der::SEQUENCE)?;
                Self::rsa(numbers.number()?, numbers.number()?)
            }
            Algorithm::Dsa(p, q, g) => Self::dsa(p, q, g, Der::new(bits).number()?),
            Algorithm::Ec(curve) => Self::ec(curve?, bits),
            Algorithm::Ed25519 => Some(Self::Ed25519(bits.try_into().ok()?)),
            Algorithm::X25519 => Some(Self::X25519(bits.try_into().ok()?)),
            Algorithm::Named(name) => {
                Some(Self::Other { name: name.to_owned(), bytes: bits.to_vec() })
            }
            Algorithm::Unknown => None,
        }
    }

    /// The public key of a certificate (RFC 5280, 4.1).
    pub(super) fn of_certificate(bytes: &[u8]) -> Option<Self> {
        let mut body = Der::new(bytes).enter(der::SEQUENCE)?.enter(der::SEQUENCE)?;
        let _ = body.take(der::CONTEXT_0);
        body.take(der::INTEGER)?;
        // Signature algorithm, issuer, validity, subject.
        for _ in 0..4 {
            body.take(der::SEQUENCE)?;
        }
        Self::of_spki(body.enter(der::SEQUENCE)?)
    }

    /// Reads a public key as SSH writes it (RFC 4253, 6.6; RFC 5656, 3.1; RFC 8709).
    pub(super) fn of_ssh(blob: &[u8]) -> Option<Self> {
        let mut wire = Wire(blob);
        let name = wire.text()?;
        match name {
            "ssh-rsa" => {
                let e = wire.string()?;
                Self::rsa(wire.string()?, e)
            }
            "ssh-dss" => Self::dsa(wire.string()?, wire.string()?, wire.string()?, wire.string()?),
            "ssh-ed25519" => Some(Self::Ed25519(wire.string()?.try_into().ok()?)),
            _ => match name.strip_prefix("ecdsa-sha2-").and_then(Curve::of_name) {
                Some(curve) => {
                    wire.string()?;
                    Self::ec(curve, wire.string()?)
                }
                None => {
                    let short = name.split('@').next().unwrap_or(name);
                    let plain = |c: char| c.is_ascii_alphanumeric() || c == '-';
                    (short.len() < 60 && short.chars().all(plain))
                        .then(|| Self::Other { name: short.to_owned(), bytes: blob.to_vec() })
                }
            },
        }
    }

    /// Kind and size: `RSA 2048`, `P-256`, `Ed25519`.
    pub(super) fn name(&self) -> String {
        match self {
            Self::Rsa { n, .. } => format!("RSA {}", bits(n)),
            Self::Dsa { p, .. } => format!("DSA {}", bits(p)),
            Self::Ec { curve, .. } => curve.row().1.to_owned(),
            Self::Ed25519(_) => "Ed25519".to_owned(),
            Self::X25519(_) => "X25519".to_owned(),
            Self::Other { name, .. } => name.clone(),
        }
    }

    /// The key as SSH writes it; none for what SSH has not.
    fn ssh(&self) -> Option<Vec<u8>> {
        let mut out = Vec::new();
        let mut put = |bytes: &[u8]| {
            out.extend(u32::try_from(bytes.len()).unwrap_or(u32::MAX).to_be_bytes());
            out.extend(bytes);
        };
        let signed = |number: &[u8]| {
            let zero: &[u8] =
                if number.first().is_some_and(|first| *first >= 0x80) { &[0] } else { &[] };
            [zero, number].concat()
        };
        match self {
            Self::Rsa { n, e } => {
                put(b"ssh-rsa");
                put(&signed(e));
                put(&signed(n));
            }
            Self::Dsa { p, q, g, y } => {
                put(b"ssh-dss");
                for number in [p, q, g, y] {
                    put(&signed(number));
                }
            }
            Self::Ec { curve, point } if !curve.row().2.is_empty() && point.first() == Some(&4) => {
                put(format!("ecdsa-sha2-{}", curve.row().2).as_bytes());
                put(curve.row().2.as_bytes());
                put(point);
            }
            Self::Ed25519(bytes) => {
                put(b"ssh-ed25519");
                put(bytes);
            }
            Self::Other { name, bytes } if name.contains("-") => return Some(bytes.clone()),
            _ => return None,
        }
        Some(out)
    }

    /// The key as certificates hold it; none for what is not known.
    fn spki(&self) -> Option<Vec<u8>> {
        let (algorithm, key) = match self {
            Self::Rsa { n, e } => (
                der::write(der::SEQUENCE, &[&der::write(der::OID, &[RSA]), &[5, 0]]),
                der::write(der::SEQUENCE, &[&der::write_number(n), &der::write_number(e)]),
            ),
            Self::Dsa { p, q, g, y } => {
                let [p, q, g] = [p, q, g].map(|number| der::write_number(number));
                let values = der::write(der::SEQUENCE, &[&p, &q, &g]);
                let oid = der::write(der::OID, &[DSA]);
                (der::write(der::SEQUENCE, &[&oid, &values]), der::write_number(y))
            }
            Self::Ec { curve, point } => {
                let (oid, curve) = (der::write(der::OID, &[EC]), curve.row().3);
                let curve = der::write(der::OID, &[curve]);
                (der::write(der::SEQUENCE, &[&oid, &curve]), point.clone())
            }
            Self::Ed25519(bytes) => {
                (der::write(der::SEQUENCE, &[&der::write(der::OID, &[ED25519])]), bytes.to_vec())
            }
            Self::X25519(bytes) => {
                (der::write(der::SEQUENCE, &[&der::write(der::OID, &[X25519])]), bytes.to_vec())
            }
            Self::Other { .. } => return None,
        };
        Some(der::write(der::SEQUENCE, &[&algorithm, &der::write(der::BITS, &[&[0], &key])]))
    }

    /// `SHA256:…`, as `ssh-keygen -l` prints it.
    pub(super) fn ssh_fingerprint(&self) -> Option<String> {
        let digest = Sha256::digest(self.ssh()?);
        Some(format!("SHA256:{}", STANDARD_NO_PAD.encode(digest)))
    }

    /// SHA-256 of the `SubjectPublicKeyInfo`, in hex.
    pub(super) fn spki_fingerprint(&self) -> Option<String> {
        Some(hex(&Sha256::digest(self.spki()?)))
    }

    /// The same for the same key in any file.
    pub(super) fn identity(&self) -> [u8; 32] {
        let named = || {
            let mut bytes = self.name().into_bytes();
            match self {
                Self::Ec { point, .. } => bytes.extend(point),
                Self::Other { bytes: own, .. } => bytes.extend(own),
                _ => {}
            }
            bytes
        };
        let bytes = self.spki().or_else(|| self.ssh()).unwrap_or_else(named);
        Sha256::digest([&b"public key: "[..], &bytes].concat()).into()
    }
}

/// Small letters and digits.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn bits(number: &[u8]) -> usize {
    let number = der::bare(number);
    let zeros = number.first().map_or(0, |first| first.leading_zeros());
    number.len().saturating_mul(8).saturating_sub(usize::try_from(zeros).unwrap_or(0))
}

/// Strings with their length in front (RFC 4251, 5).
#[derive(Debug, Clone, Copy)]
pub(super) struct Wire<'a>(pub(super) &'a [u8]);

impl<'a> Wire<'a> {
    pub(super) fn number(&mut self) -> Option<u32> {
        let (digits, rest) = self.0.split_at_checked(4)?;
        self.0 = rest;
        number::u32_be(digits, 0)
    }

    pub(super) fn string(&mut self) -> Option<&'a [u8]> {
        let mut after = *self;
        let length = number::index(after.number()?);
        let (content, rest) = after.0.split_at_checked(length)?;
        self.0 = rest;
        Some(content)
    }

    pub(super) fn text(&mut self) -> Option<&'a str> {
        std::str::from_utf8(self.string()?).ok()
    }
}
