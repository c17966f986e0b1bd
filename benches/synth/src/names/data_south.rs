//! Names of the Arab world, Turkey, Iran and South Asia: Latin spellings as papers show them, `=`, the own script.

use super::culture::{Culture, Origin, Pattern};

/// Cultures of this file.
pub(super) const CULTURES: &[Culture] = &[
    Culture {
        name: "arab-levant-gulf",
        origin: Origin::Arab,
        weight: 70,
        language: "ar",
        script: "Arab",
        pattern: Pattern::Arab,
        nationalities: &[
            ("IQ", 260),
            ("SY", 260),
            ("SD", 110),
            ("YE", 60),
            ("EG", 120),
            ("LB", 60),
            ("JO", 40),
            ("KW", 30),
            ("SA", 30),
            ("XXA", 30),
        ],
        male: "Mohammed/Muhammad/Mohamed/Mohammad/Mohamad=محمد Ahmed/Ahmad=أحمد Ali/Aly=علي Hussein/Husain/Hussain/Husayn=حسين Hassan/Hasan=حسن Mahmoud/Mahmood/Mahmud=محمود Omar/Umar/Omer=عمر Ibrahim/Ebrahim=إبراهيم Khaled/Khalid/Khaleed=خالد Yousef/Yusuf/Yousif/Youssef=يوسف \
               Abdullah/Abdallah/Abdulla=عبد_الله Mustafa/Mostafa/Moustafa=مصطفى Abdulrahman/Abdel_Rahman/Abdurrahman=عبد_الرحمن Hamza/Hamzah=حمزة Saeed/Said/Saiid=سعيد Karim/Kareem=كريم Tariq/Tarek/Tareq=طارق Bilal/Belal=بلال Osama/Usama=أسامة Salah/Saleh=صلاح \
               Faisal/Faysal/Feisal=فيصل Nasser/Nasir/Naser=ناصر Jamal/Gamal=جمال Walid/Waleed=وليد Samir/Sameer=سمير Ziad/Ziyad=زياد Majid/Majed=ماجد Adel/Adil=عادل Abdelaziz/Abdulaziz/Abdul_Aziz=عبد_العزيز Rashid/Rasheed=رشيد Qasim/Kassem/Qassim=قاسم Hisham/Hesham=هشام",
        female: "Fatima/Fatma/Fatimah/Fatema=فاطمة Maryam/Mariam/Meryem=مريم Aisha/Ayesha/Aysha/Aicha=عائشة Zainab/Zeinab/Zaynab=زينب Khadija/Khadijah/Khadeeja=خديجة Noor/Nour/Nur=نور Sara/Sarah=سارة Hanan/Hanane=حنان Amina/Aminah/Ameena=أمينة Huda/Hoda=هدى \
                 Layla/Leila/Laila=ليلى Salma/Selma=سلمى Rania/Raniya=رانيا Samira/Sameera=سميرة Iman/Eman=إيمان Hala/Halah=هالة Asma/Asmaa=أسماء Nadia/Nadya=نادية Rasha=رشا Dina/Deena=دينا Rim/Reem=ريم Yasmin/Yasmeen/Jasmine=ياسمين",
        surnames: "Hassan/Hasan=حسن Hussein/Husain=حسين Ali=علي Ahmed/Ahmad=أحمد Mohammed/Muhammad/Mohamed=محمد Ibrahim/Ebrahim=إبراهيم Al-Masri/El-Masry/Almasri=المصري Khalil/Khaleel=خليل Mahmoud/Mahmood=محمود Haddad/Hadad=حداد Saleh/Salih=صالح Mansour/Mansoor=منصور Al-Khatib/El-Khatib/Alkhateeb=الخطيب Najjar/Najar=نجار Darwish/Darweesh=درويش \
                   Al-Jubouri/Al-Jaburi/Aljabouri=الجبوري Al-Tikriti/Tikriti=التكريتي Al-Obaidi/Al-Ubaydi/Alobaidi=العبيدي Al-Shami/El-Shamy=الشامي Qasim/Kassem=قاسم Al-Zahrani/Alzahrani=الزهراني Al-Otaibi/Alotaibi/Al-Utaybi=العتيبي Al-Rashid/Alrashid=الرشيد Al-Hashimi/Hashemi=الهاشمي Khoury/Khouri/Khuri=خوري Nasser/Nasir=ناصر Sabbagh/Sabagh=صباغ \
                   Al-Din/El-Din/Eddin=الدين Othman/Osman/Uthman=عثمان Suleiman/Sulaiman/Soliman=سليمان Awad/Awadh=عوض Bakr/Bakir/Bakri=بكر Shaheen/Shahin=شاهين Abu_Bakr/Abubakr/Abou_Bakr=أبو_بكر Abu_Salem/Abusalem=أبو_سالم Hamdan=حمدان Tawfiq/Tewfik/Toufic=توفيق Jaber/Jabir=جابر Fares/Faris=فارس Issa/Isa/Eissa=عيسى",
        stems: "Al-Bagh=البغ Al-Dimash=الدمش Al-Halab=الحلب Al-Janab=الجناب Al-Karb=الكرب Al-Maghrab=المغرب Al-Mosul=الموصل Al-Najaf=النجف Al-Qurash=القرش Al-Samarra=السامرائ Al-Shamm=الشمر Al-Tamim=التميم Al-Yaman=اليمن Al-Zubaid=الزبيد Al-Harb=الحرب Al-Ghamid=الغامد",
        endings: "i=ي awi=اوي ani=اني",
        tail_per_mille: 170,
    },
    Culture {
        name: "maghreb",
        origin: Origin::Arab,
        weight: 45,
        language: "ar",
        script: "Arab",
        pattern: Pattern::Arab,
        nationalities: &[("DZ", 400), ("MA", 300), ("TN", 120), ("LY", 110), ("FR", 70)],
        male: "Mohamed/Mohammed/Muhammad=محمد Ahmed=أحمد Youssef/Yousef/Yusuf=يوسف Rachid/Rashid=رشيد Karim/Kareem=كريم Said/Saïd/Saeed=سعيد Abdelkader/Abd_el-Kader/Abdulqadir=عبد_القادر Hamid/Hameed=حميد Khalid/Khaled=خالد Omar/Amar/Umar=عمر Brahim/Ibrahim=إبراهيم \
               Mustapha/Moustafa/Mustafa=مصطفى Hicham/Hisham=هشام Nabil/Nabeel=نبيل Mourad/Murad=مراد Djamel/Jamal=جمال Abderrahmane/Abdulrahman=عبد_الرحمن Sofiane/Sufyan=سفيان Bilel/Bilal=بلال Yacine/Yassin/Yasin=ياسين Tarik/Tarek/Tariq=طارق Noureddine/Nuruddin/Nour_Eddine=نور_الدين \
               Abdelhak/Abdulhaq=عبد_الحق Lotfi/Lutfi=لطفي Zoubir/Zubair=زبير Aziz=عزيز",
        female: "Fatima/Fatma=فاطمة Khadija/Khadidja=خديجة Aicha/Aïcha/Aisha=عائشة Meriem/Mariam/Maryam=مريم Zineb/Zainab=زينب Nadia=نادية Samira=سميرة Malika/Melika=مليكة Naima/Naïma/Naeema=نعيمة Houria/Huriya=حورية Leila/Layla=ليلى Amel/Amal=أمل Souad/Suad=سعاد Yamina=يمينة Rachida/Rashida=رشيدة Hafida/Hafidha=حفيظة Ghizlane/Ghizlan=غزلان Ikram=إكرام Chaima/Shaima=شيماء",
        surnames: "Benali/Ben_Ali/Bin_Ali=بن_علي Bouzid/Bouazid=بوزيد Saidi/Saïdi=سعيدي Mansouri/Mansoori=منصوري Brahimi/Ibrahimi=براهيمي Belkacem/Bel_Kacem/Belqasim=بلقاسم Benmoussa/Ben_Moussa=بن_موسى Haddad=حداد Hamdi=حمدي Amrani/El_Amrani=العمراني Alaoui/El_Alaoui/Alawi=العلوي El_Idrissi/Idrissi/Al-Idrisi=الإدريسي Bennani/Benani=بناني Tazi=التازي \
                   Cherkaoui/Sharqawi=الشرقاوي Ziani/Zayani=زياني Cherif/Sharif/Chérif=شريف Meziane/Mezian=مزيان Boudjemaa/Boujemaa=بوجمعة Khelifi/Khalifi=خليفي Ouali/Wali=والي Taleb/Talib=طالب Bouchareb/Boushareb=بوشارب Trabelsi/Trabulsi=الطرابلسي Gharbi/El_Gharbi=الغربي Jaziri/Djaziri=الجزيري Ayari/Ayyari=العياري Ferhat/Farhat=فرحات Benyoussef/Ben_Youssef=بن_يوسف",
        stems: "Ben=بن Bou=بو Bel=بل",
        endings: "ahmed=أحمد amar=عمار chiha=شيحة daoud=داود hadj=حاج khelil=خليل lakhdar=لخضر mansour=منصور merzoug=مرزوق said=سعيد slimane=سليمان taieb=طيب zerrouk=زروق",
        tail_per_mille: 220,
    },
    Culture {
        name: "turkish",
        origin: Origin::Turkish,
        weight: 28,
        language: "tr",
        script: "Latn",
        pattern: Pattern::Western,
        nationalities: &[("TR", 900), ("CY", 40), ("DE", 60)],
        male: "Mehmet/Mehmed Mustafa Ahmet/Ahmed Ali Hüseyin/Huseyin/Hussein Hasan İbrahim/Ibrahim İsmail/Ismail Osman Yusuf Murat/Murad Ömer/Omer/Omar Ramazan/Ramadan Halil/Khalil Süleyman/Suleyman/Suleiman Abdullah Mahmut/Mahmud Recep/Recip Salih/Saleh Fatih Emre Kemal/Kamal Burak Serkan Gökhan/Gokhan Uğur/Ugur Çağlar/Caglar Şükrü/Sukru Barış/Baris Yiğit/Yigit Işık/Isik",
        female: "Fatma/Fatima Ayşe/Ayse/Aysha Emine/Amina Hatice/Khadija Zeynep/Zainab Elif Meryem/Maryam Şerife/Serife/Sharifa Zehra/Zahra Sultan Hanife Merve Havva Zeliha Esra Özlem/Ozlem Büşra/Busra Gülşen/Gulsen Hülya/Hulya Sevgi Çiğdem/Cigdem Tuğba/Tugba İpek/Ipek Yıldız/Yildiz Nurhan Songül/Songul",
        surnames: "Yılmaz/Yilmaz Kaya Demir Şahin/Sahin/Shahin Çelik/Celik Yıldız/Yildiz Yıldırım/Yildirim Öztürk/Ozturk/Oeztuerk Aydın/Aydin Özdemir/Ozdemir Arslan/Aslan Doğan/Dogan Kılıç/Kilic Aslan Çetin/Cetin Kara Koç/Koc Kurt Özkan/Ozkan Şimşek/Simsek Polat Korkmaz Özcan/Ozcan Çakır/Cakir Erdoğmuş/Erdogmus Yavuz Can/Jan Acar Güneş/Gunes Aktaş/Aktas Bozkurt Güler/Guler Işık/Isik Yüksel/Yuksel Avcı/Avci Turan Ünal/Unal Gül/Gul Tekin Keskin Bulut",
        stems: "Ak Altın Ay Bal Bay Boz Çolak Dağ Demirci El Er Gök Gün Hacı Kara Kızıl Koca Oğuz Öz Sarı Taş Topal Uzun Yeni",
        endings: "bulut can cıoğlu demir er gül kan kaya lı men oğlu polat soy su tan taş tepe türk yol",
        tail_per_mille: 240,
    },
    Culture {
        name: "iranian",
        origin: Origin::Iranian,
        weight: 40,
        language: "fa",
        script: "Arab",
        pattern: Pattern::Western,
        nationalities: &[("IR", 620), ("AF", 360), ("TJ", 20)],
        male: "Mohammad/Muhammad/Mohammed=محمد Ali=علی Hossein/Hussein/Husain=حسین Reza/Riza=رضا Mehdi/Mahdi=مهدی Hassan/Hasan=حسن Ahmad/Ahmed=احمد Amir/Ameer=امیر Mohammad_Reza/Mohammadreza=محمدرضا Abbas=عباس Saeed/Said/Saeid=سعید Majid=مجید Hamid/Hameed=حمید Farhad/Farhaad=فرهاد Behzad/Behzaad=بهزاد Dariush/Daryoush/Darius=داریوش Kourosh/Cyrus/Koorosh=کوروش Arash=آرش Babak=بابک Siavash/Siyavash=سیاوش \
               Gholam/Ghulam=غلام Nasrullah/Nasrollah=نصرالله Najibullah/Najib_Ullah=نجیب‌الله Zabihullah/Zabiullah=ذبیح‌الله Hamidullah/Hamid_Ullah=حمیدالله Karim/Kareem=کریم Bahram=بهرام Jamshid=جمشید Rostam/Rustam=رستم Javad/Jawad=جواد",
        female: "Fatemeh/Fatima/Fatimah=فاطمه Zahra/Zohra=زهرا Maryam/Mariam=مریم Masoumeh/Masuma=معصومه Sakineh/Sakina=سکینه Zeinab/Zainab=زینب Roghayeh/Ruqayya=رقیه Leila/Layla=لیلا Sara/Sarah=سارا Narges/Nargis=نرگس Shirin/Shireen=شیرین Parvin/Parveen=پروین Azadeh/Azade=آزاده Mahnaz=مهناز Nasrin/Nasreen=نسرین Shahrzad/Sheherazade=شهرزاد Golnaz/Gulnaz=گلناز Nilofar/Niloufar=نیلوفر Ziba=زیبا Setareh/Sitara=ستاره",
        surnames: "Mohammadi/Muhammadi=محمدی Hosseini/Husseini/Hussaini=حسینی Ahmadi=احمدی Rezaei/Rezai/Rezayi=رضایی Moradi/Muradi=مرادی Heydari/Haidari/Haydari=حیدری Karimi/Kareemi=کریمی Jafari/Jaffari=جعفری Rahimi/Raheemi=رحیمی Hashemi/Hashimi=هاشمی Ebrahimi/Ibrahimi=ابراهیمی Mousavi/Musawi/Moosavi=موسوی Ghasemi/Qasemi/Qasimi=قاسمی Akbari=اکبری Sadeghi/Sadiqi=صادقی Amiri=امیری Kazemi/Kazimi=کاظمی Rostami/Rustami=رستمی Sharifi=شریفی Soltani/Sultani=سلطانی \
                   Azizi=عزیزی Nazari=نظری Bagheri/Baqeri/Baqiri=باقری Yousefi/Yusufi=یوسفی Tehrani/Tehraani=تهرانی Shirazi/Sheerazi=شیرازی Esfahani/Isfahani=اصفهانی Kermani=کرمانی Noori/Nouri/Nuri=نوری Wardak=وردک Ahmadzai=احمدزی Stanikzai/Stanekzai=ستانکزی Popalzai=پوپلزی Hotak=هوتک Safi=صافی",
        stems: "Ahmad=احمد Akbar=اکبر Ali=علی Asghar=اصغر Azim=عظیم Gholam=غلام Habib=حبیب Hamid=حمید Hassan=حسن Jalal=جلال Karim=کریم Mehdi=مهدی Mirza=میرزا Nasir=نصیر Rahim=رحیم Rashid=رشید Salim=سلیم Tajik=تاجیک Yaghoub=یعقوب",
        endings: "zadeh=زاده pour=پور nejad=نژاد ian=یان zai=زی khani=خانی abadi=آبادی far=فر",
        tail_per_mille: 280,
    },
    Culture {
        name: "pakistani-bangladeshi",
        origin: Origin::SouthAsian,
        weight: 62,
        language: "ur",
        script: "Arab",
        pattern: Pattern::SouthAsianMuslim,
        nationalities: &[("PK", 500), ("BD", 240), ("GB", 230), ("IN", 30)],
        male: "Mohammed/Muhammad/Mohammad/Md/Mohd=محمد Ali=علی Ahmed/Ahmad=احمد Imran=عمران Asif=آصف Usman/Osman/Uthman=عثمان Bilal=بلال Hassan/Hasan=حسن Zahid=زاہد Tariq/Tareq=طارق Khalid/Khaled=خالد Shahid/Shaheed=شاہد Rashid/Rasheed=رشید Nadeem/Nadim=ندیم Faisal/Faysal=فیصل Kashif=کاشف Waqas/Waqar=وقاص Amjad=امجد Arshad=ارشد Iqbal/Eqbal=اقبال Javed/Javaid/Jawed=جاوید Naveed/Navid=نوید Saqib=ثاقب Shabir/Shabbir=شبیر Abdul_Rahman/Abdur_Rahman/Abdurrahman=عبدالرحمن \
               Abdul_Karim/Abdul_Kareem=عبدالکریم Ghulam/Gulam=غلام Sajid/Sajjad=ساجد Jamal=جمال Nazrul=نذرل",
        female: "Fatima/Fatema=فاطمہ Ayesha/Aisha/Aysha=عائشہ Shazia/Shaziya=شازیہ Nasreen/Nasrin=نسرین Saima/Saimah=صائمہ Sadia/Sadiya=سعدیہ Bushra=بشریٰ Rukhsana/Roksana=رخسانہ Shabana/Shabanah=شبانہ Farzana=فرزانہ Samina/Sameena=ثمینہ Parveen/Parvin=پروین Noreen/Naureen=نورین Rubina=روبینہ Tahira=طاہرہ Zainab/Zaynab=زینب Nusrat=نصرت Shahida=شاہدہ Yasmin/Yasmeen/Jasmin=یاسمین Khadija=خدیجہ",
        surnames: "Khan=خان Ahmed/Ahmad=احمد Hussain/Husain/Hussein=حسین Ali=علی Akhtar/Akther=اختر Malik/Malick=ملک Iqbal=اقبال Mahmood/Mehmood/Mahmud=محمود Shah=شاہ Begum/Begam=بیگم Bibi=بی‌بی Butt/Bhatt=بٹ Chaudhry/Chowdhury/Choudhury/Chaudhary=چوہدری Rahman/Rehman=رحمٰن Islam=اسلام Uddin/Ud-Din/Udin=الدین Miah/Mia/Miya=میاں Mirza=مرزا Qureshi/Quraishi/Koreshi=قریشی Siddiqui/Siddiqi/Siddique=صدیقی Sheikh/Shaikh/Sheik=شیخ Raja=راجہ Rafiq/Rafique=رفیق \
                   Aziz=عزیز Aslam=اسلم Anwar/Anwer=انور Bashir/Basheer=بشیر Hashmi/Hashemi=ہاشمی Javed/Javaid=جاوید Kazmi=کاظمی Khatun/Khatoon=خاتون Latif/Lateef=لطیف Mughal/Moghal=مغل Naqvi/Naqavi=نقوی Nawaz/Navaz=نواز Rashid=رشید Riaz/Riyaz=ریاض Saleem/Salim=سلیم Sarkar/Sarker=سرکار Talukdar/Talukder=تعلقدار",
        stems: "Abdul=عبدال Fazl=فضل Habib=حبیب Hafiz=حفیظ Inayat=عنایت Karam=کرم Nasir=نصیر Sana=ثناء Shams=شمس Zia=ضیاء",
        endings: "ullah=اللہ uddin=الدین ur-Rahman=الرحمٰن zai=زئی pur=پور",
        tail_per_mille: 130,
    },
    Culture {
        name: "indian",
        origin: Origin::SouthAsian,
        weight: 38,
        language: "hi",
        script: "Deva",
        pattern: Pattern::Western,
        nationalities: &[("IN", 650), ("GB", 200), ("LK", 70), ("NP", 80)],
        male: "Rajesh/Rajeesh=राजेश Amit=अमित Sanjay/Sanjai=संजय Vijay/Vijai=विजय Ravi=रवि Suresh=सुरेश Ramesh=रमेश Anil=अनिल Sunil=सुनील Rakesh=राकेश Manoj=मनोज Ashok/Asok=अशोक Rahul=राहुल Deepak/Dipak=दीपक Vikram=विक्रम Arun=अरुण Pradeep/Pradip=प्रदीप Mukesh=मुकेश Dinesh=दिनेश Mahesh=महेश Krishna/Krishnan=कृष्ण Ganesh=गणेश Harish=हरीश Nikhil=निखिल Hitesh=हितेश Jayesh=जयेश Bhavesh=भावेश Prakash=प्रकाश Venkatesh/Venkatesan=वेंकटेश Karthik/Kartik=कार्तिक",
        female: "Priya=प्रिया Sunita/Suneeta=सुनीता Anita/Aneeta=अनीता Pooja/Puja=पूजा Neha=नेहा Kavita/Kavitha=कविता Rekha=रेखा Meena/Mina=मीना Geeta/Gita/Geetha=गीता Lakshmi/Laxmi=लक्ष्मी Deepa/Dipa=दीपा Asha=आशा Usha=उषा Nisha=निशा Shanti/Shanthi=शांति Radha=राधा Seema/Sima=सीमा Jyoti/Jyothi=ज्योति Savita/Savitha=सविता Hansa=हंसा Bhavna/Bhavana=भावना Hema=हेमा Divya=दिव्या Swati/Swathi=स्वाति",
        surnames: "Patel=पटेल Sharma/Sarma=शर्मा Kumar=कुमार Shah=शाह Gupta=गुप्ता Verma/Varma=वर्मा Mehta/Metha=मेहता Desai=देसाई Joshi=जोशी Rao=राव Reddy/Reddi=रेड्डी Nair/Nayar=नायर Iyer/Aiyar=अय्यर Mistry/Mistri=मिस्त्री Parmar=परमार Chauhan/Chohan=चौहान Solanki=सोलंकी Das/Dass=दास Roy/Ray=राय Banerjee/Banerji=बनर्जी Mukherjee/Mookerjee=मुखर्जी Bose/Basu=बोस Ghosh/Ghose=घोष Mishra/Misra=मिश्रा Pandey/Pande=पांडे Tiwari/Tewari=तिवारी Yadav/Jadav=यादव Pillai/Pillay=पिल्लई \
                   Menon=मेनन Subramaniam/Subramanian/Subramanyam=सुब्रमण्यम Krishnan=कृष्णन Perera/Pereira=परेरा Fernando=फर्नांडो Silva/de_Silva=सिल्वा Gurung=गुरुंग Rai/Raee=राई Thapa=थापा Limbu=लिम्बू Kaur=कौर Trivedi=त्रिवेदी Bhatt/Bhat=भट्ट Pandya=पंड्या",
        stems: "Bala=बाल Chandra=चंद्र Dharma=धर्म Guna=गुण Jaya=जय Karuna=करुण Nanda=नंद Prema=प्रेम Raja=राज Rama=राम Siva=शिव Sri=श्री Vira=वीर",
        endings: "krishnan=कृष्णन murthy=मूर्ति nathan=नाथन rajan=राजन singham=सिंघम sekaran=शेखरन sundaram=सुंदरम wardena=वर्धन",
        tail_per_mille: 170,
    },
    Culture {
        name: "sikh",
        origin: Origin::SouthAsian,
        weight: 16,
        language: "pa",
        script: "Latn",
        pattern: Pattern::Sikh,
        nationalities: &[("IN", 650), ("GB", 350)],
        male: "Gurpreet/Gurprit Harpreet/Harprit Jaswinder/Jasvinder Kulwinder/Kulvinder Sukhwinder/Sukhvinder Manjit/Manjeet Balwinder/Balvinder Gurmeet/Gurmit Jagdeep/Jagdip Amarjit/Amarjeet Baljit/Baljeet Daljit/Daljeet Harjinder Inderjit/Inderjeet Jasbir Kuldeep/Kuldip Lakhbir Narinder/Narender Parminder Ranjit/Ranjeet Satnam Surjit/Surjeet Tejinder Upinder",
        female: "Manpreet/Manprit Jaspreet/Jasprit Amandeep/Amandip Rajwinder/Rajvinder Paramjit/Paramjeet Simran/Simranjit Kiranjit/Kiranjeet Navdeep/Navdip Ravinder Sandeep/Sandip Sukhjit/Sukhjeet Gurdeep/Gurdip Harleen Jasleen Kirandeep Loveleen Mandeep/Mandip Prabhjot Rupinder Sarbjit Satwinder Surinder Taranjit Varinder",
        surnames: "Gill Sandhu/Sandhoo Dhillon/Dhilon Sidhu/Sidhoo Grewal/Garewal Dhaliwal/Dhariwal Brar Bains/Baines Johal/Johl Sahota Atwal/Athwal Purewal Hayer/Hayre Chahal/Chahil Mann/Maan Bhatti Virk Randhawa/Randhava Toor Uppal Khaira/Khera Cheema/Chima Dosanjh/Dosanj Hundal Kang",
        stems: "Ban Bas Dhan Gar Jag Kal Lal Man Nag Pan Rand Sam Tak",
        endings: "dher dhu gha har ial iwal oha ota pal ra wal",
        tail_per_mille: 120,
    },
];
