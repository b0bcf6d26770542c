// Thirteen diseases, enough for every form of Arabic phrase, for look-alikes and for a split.

using PaperLab.Text.Medical;

namespace PaperLab.Tests.Text.Medical;

internal static class MedicalFixture
{
    public const string Json = """
        {
          "organs": [
            {"id": "lung", "en": "lung", "ar": "رئة", "arDef": "الرئة", "gender": "f"},
            {"id": "stomach", "en": "stomach", "ar": "معدة", "arDef": "المعدة", "gender": "f"},
            {"id": "liver", "en": "liver", "ar": "كبد", "arDef": "الكبد", "gender": "f"},
            {"id": "brain", "en": "brain", "ar": "دماغ", "arDef": "الدماغ", "gender": "m"},
            {"id": "skin", "en": "skin", "ar": "جلد", "arDef": "الجلد", "gender": "m"},
            {"id": "heart", "en": "heart", "ar": "قلب", "arDef": "القلب", "gender": "m"},
            {"id": "kidney", "en": "kidney", "ar": "كلية", "arDef": "الكلية", "gender": "f"},
            {"id": "joints", "en": "joints", "ar": "مفاصل", "arDef": "المفاصل", "gender": "f"},
            {"id": "ovary", "en": "ovary", "ar": "مبيض", "arDef": "المبيض", "gender": "m"}
          ],
          "symptoms": [
            {"id": "cough", "en": "cough", "ar": "سعال", "arDef": "السعال", "gender": "m"},
            {"id": "fever", "en": "fever", "ar": "حمى", "arDef": "الحمى", "gender": "f"},
            {"id": "chest-pain", "en": "chest pain", "ar": "ألم في الصدر", "arDef": "ألم الصدر", "gender": "m"},
            {"id": "shortness-of-breath", "en": "shortness of breath", "ar": "ضيق في التنفس", "arDef": "ضيق التنفس", "gender": "m"},
            {"id": "nausea", "en": "nausea", "ar": "غثيان", "arDef": "الغثيان", "gender": "m"},
            {"id": "vomiting", "en": "vomiting", "ar": "قيء", "arDef": "القيء", "gender": "m"},
            {"id": "abdominal-pain", "en": "abdominal pain", "ar": "ألم في البطن", "arDef": "ألم البطن", "gender": "m"},
            {"id": "jaundice", "en": "jaundice", "ar": "يرقان", "arDef": "اليرقان", "gender": "m"},
            {"id": "fatigue", "en": "fatigue", "ar": "تعب", "arDef": "التعب", "gender": "m"},
            {"id": "rash", "en": "rash", "ar": "طفح جلدي", "arDef": "الطفح الجلدي", "gender": "m"},
            {"id": "itching", "en": "itching", "ar": "حكة", "arDef": "الحكة", "gender": "f"},
            {"id": "headache", "en": "headache", "ar": "صداع", "arDef": "الصداع", "gender": "m"},
            {"id": "chills", "en": "chills", "ar": "قشعريرة", "arDef": "القشعريرة", "gender": "f"},
            {"id": "joint-pain", "en": "joint pain", "ar": "ألم في المفاصل", "arDef": "ألم المفاصل", "gender": "m"},
            {"id": "palpitations", "en": "palpitations", "ar": "خفقان", "arDef": "الخفقان", "gender": "m"},
            {"id": "weight-loss", "en": "weight loss", "ar": "فقدان الوزن", "arDef": "فقدان الوزن", "gender": "m"},
            {"id": "seizures", "en": "seizures", "ar": "نوبات تشنجية", "arDef": "النوبات التشنجية", "gender": "f"},
            {"id": "wheezing", "en": "wheezing", "ar": "أزيز", "arDef": "الأزيز", "gender": "m"}
          ],
          "drugs": [
            {"id": "amoxicillin", "en": "amoxicillin", "ar": "أموكسيسيلين", "arDef": "الأموكسيسيلين", "gender": "m"},
            {"id": "ceftriaxone", "en": "ceftriaxone", "ar": "سيفترياكسون", "arDef": "السيفترياكسون", "gender": "m"},
            {"id": "salbutamol", "en": "salbutamol", "ar": "سالبوتامول", "arDef": "السالبوتامول", "gender": "m"},
            {"id": "prednisolone", "en": "prednisolone", "ar": "بريدنيزولون", "arDef": "البريدنيزولون", "gender": "m"},
            {"id": "rifampicin", "en": "rifampicin", "ar": "ريفامبيسين", "arDef": "الريفامبيسين", "gender": "m"},
            {"id": "isoniazid", "en": "isoniazid", "ar": "إيزونيازيد", "arDef": "الإيزونيازيد", "gender": "m"},
            {"id": "omeprazole", "en": "omeprazole", "ar": "أوميبرازول", "arDef": "الأوميبرازول", "gender": "m"},
            {"id": "tenofovir", "en": "tenofovir", "ar": "تينوفوفير", "arDef": "التينوفوفير", "gender": "m"},
            {"id": "ibuprofen", "en": "ibuprofen", "ar": "إيبوبروفين", "arDef": "الإيبوبروفين", "gender": "m"},
            {"id": "propranolol", "en": "propranolol", "ar": "بروبرانولول", "arDef": "البروبرانولول", "gender": "m"},
            {"id": "hydrocortisone", "en": "hydrocortisone", "ar": "هيدروكورتيزون", "arDef": "الهيدروكورتيزون", "gender": "m"},
            {"id": "methotrexate", "en": "methotrexate", "ar": "ميثوتريكسات", "arDef": "الميثوتريكسات", "gender": "m"},
            {"id": "bisoprolol", "en": "bisoprolol", "ar": "بيسوبرولول", "arDef": "البيسوبرولول", "gender": "m"},
            {"id": "carboplatin", "en": "carboplatin", "ar": "كاربوبلاتين", "arDef": "الكاربوبلاتين", "gender": "m"},
            {"id": "diuretics", "en": "diuretics", "ar": "مدرات البول", "arDef": "مدرات البول", "gender": "f"}
          ],
          "risks": [
            {"id": "smoking", "en": "smoking", "ar": "تدخين", "arDef": "التدخين", "gender": "m"},
            {"id": "obesity", "en": "obesity", "ar": "سمنة", "arDef": "السمنة", "gender": "f"},
            {"id": "alcohol", "en": "alcohol", "ar": "كحول", "arDef": "الكحول", "gender": "m"},
            {"id": "old-age", "en": "old age", "ar": "تقدم في العمر", "arDef": "التقدم في العمر", "gender": "m"},
            {"id": "family-history", "en": "family history", "ar": "تاريخ عائلي", "arDef": "التاريخ العائلي", "gender": "m"},
            {"id": "malnutrition", "en": "malnutrition", "ar": "سوء التغذية", "arDef": "سوء التغذية", "gender": "m"},
            {"id": "stress", "en": "stress", "ar": "توتر", "arDef": "التوتر", "gender": "m"},
            {"id": "pollen", "en": "pollen", "ar": "حبوب اللقاح", "arDef": "حبوب اللقاح", "gender": "f"},
            {"id": "blood-transfusion", "en": "blood transfusion", "ar": "نقل الدم", "arDef": "نقل الدم", "gender": "m"}
          ],
          "diseases": [
            {"id": "pneumonia", "en": "pneumonia", "ar": "التهاب رئوي", "arDef": "الالتهاب الرئوي", "gender": "m", "organ": "lung", "symptoms": ["cough", "fever", "chest-pain"], "drugs": ["amoxicillin", "ceftriaxone"], "risks": ["smoking", "old-age"]},
            {"id": "asthma", "en": "asthma", "ar": "ربو", "arDef": "الربو", "gender": "m", "organ": "lung", "symptoms": ["cough", "wheezing", "shortness-of-breath"], "drugs": ["salbutamol", "prednisolone"], "risks": ["pollen", "smoking"]},
            {"id": "tuberculosis", "en": "tuberculosis", "ar": "سل", "arDef": "السل", "gender": "m", "organ": "lung", "symptoms": ["cough", "fever", "weight-loss", "chills"], "drugs": ["rifampicin", "isoniazid"], "risks": ["malnutrition", "smoking"]},
            {"id": "gastritis", "en": "gastritis", "ar": "التهاب المعدة", "arDef": "التهاب المعدة", "gender": "m", "organ": "stomach", "symptoms": ["nausea", "vomiting", "abdominal-pain"], "drugs": ["omeprazole"], "risks": ["alcohol", "stress"]},
            {"id": "hepatitis-b", "en": "hepatitis B", "ar": "التهاب الكبد ب", "arDef": "التهاب الكبد ب", "gender": "m", "organ": "liver", "symptoms": ["jaundice", "fatigue", "nausea", "fever"], "drugs": ["tenofovir"], "risks": ["blood-transfusion"]},
            {"id": "migraine", "en": "migraine", "ar": "شقيقة", "arDef": "الشقيقة", "gender": "f", "organ": "brain", "symptoms": ["headache", "nausea", "vomiting"], "drugs": ["ibuprofen", "propranolol"], "risks": ["stress", "family-history"]},
            {"id": "meningitis", "en": "meningitis", "ar": "التهاب السحايا", "arDef": "التهاب السحايا", "gender": "m", "organ": "brain", "symptoms": ["fever", "headache", "seizures"], "drugs": ["ceftriaxone"], "risks": ["malnutrition"]},
            {"id": "eczema", "en": "eczema", "ar": "إكزيما", "arDef": "الإكزيما", "gender": "f", "organ": "skin", "symptoms": ["rash", "itching", "fatigue"], "drugs": ["hydrocortisone", "prednisolone"], "risks": ["family-history", "stress"]},
            {"id": "psoriasis", "en": "psoriasis", "ar": "صدفية", "arDef": "الصدفية", "gender": "f", "organ": "skin", "symptoms": ["rash", "itching", "joint-pain"], "drugs": ["methotrexate", "hydrocortisone"], "risks": ["family-history", "smoking"]},
            {"id": "rheumatoid-arthritis", "en": "rheumatoid arthritis", "ar": "التهاب المفاصل الروماتويدي", "arDef": "التهاب المفاصل الروماتويدي", "gender": "m", "organ": "joints", "symptoms": ["joint-pain", "fatigue", "fever"], "drugs": ["methotrexate", "ibuprofen"], "risks": ["family-history", "smoking"]},
            {"id": "heart-failure", "en": "heart failure", "ar": "قصور القلب", "arDef": "قصور القلب", "gender": "m", "organ": "heart", "symptoms": ["shortness-of-breath", "fatigue", "palpitations"], "drugs": ["bisoprolol", "diuretics"], "risks": ["obesity", "old-age"]},
            {"id": "kidney-stones", "en": "kidney stones", "ar": "حصوات كلوية", "arDef": "الحصوات الكلوية", "gender": "f", "organ": "kidney", "symptoms": ["abdominal-pain", "nausea", "vomiting", "chills"], "drugs": ["ibuprofen", "diuretics"], "risks": ["obesity"]},
            {"id": "ovarian-cancer", "en": "ovarian cancer", "ar": "سرطان المبيض", "arDef": "سرطان المبيض", "gender": "m", "organ": "ovary", "symptoms": ["abdominal-pain", "fatigue", "weight-loss"], "drugs": ["carboplatin"], "risks": ["family-history", "obesity"]}
          ]
        }
        """;

    public static MedicalKnowledge Knowledge { get; } = MedicalKnowledge.Parse(Json, "fixture.json");

    public static MedicalEntity Entity(string id) => Knowledge.Entities.Single(entity => entity.Id == id);

    public static Fact FactOf(string disease, Relation relation, string entity) => new(Entity(disease), relation, Entity(entity));
}
