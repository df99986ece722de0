//! IANA's Language Subtag Registry of 2026-09-17, in lower case, written by tools/standards/refresh.py.
//! Subtags of one length stand one behind the other, in order.

/// Languages of two letters.
pub(super) const LANGUAGES_OF_TWO: &str = "\
    aaabaeafakamanarasavayazbabebgbhbibmbnbobrbscacechcocrcscucvcydadedvdzeeeleneoeseteufafffifjfofr\
    fygagdglgngugvhahehihohrhthuhyhziaidieigiiikinioisitiuiwjajijvjwkakgkikjkkklkmknkokrkskukvkwkyla\
    lblglilnloltlulvmgmhmimkmlmnmomrmsmtmynanbndnengnlnnnonrnvnyocojomorospapiplpsptqurmrnrorurwsasc\
    sdsesgshsiskslsmsnsosqsrssstsusvswtatetgthtitktltntotrtstttwtyugukuruzvevivowawoxhyiyozazhzu";

/// Languages of three letters.
pub(super) const LANGUAGES_OF_THREE: &str = "\
    aaaaabaacaadaaeaafaagaahaaiaakaalaamaanaaoaapaaqaasaataauaavaawaaxaazabaabbabcabdabeabfabgabhabi\
    abjablabmabnaboabpabqabrabsabtabuabvabwabxabyabzacaacbacdaceacfachaciackaclacmacnacpacqacracsact\
    acuacvacwacxacyaczadaadbaddadeadfadgadhadiadjadladnadoadpadqadradsadtaduadwadxadyadzaeaaebaecaed\
    aeeaekaelaemaenaeqaeraesaeuaewaeyaezafaafbafdafeafgafhafiafkafnafoafpafsaftafuafzagaagbagcagdage\
    agfaggaghagiagjagkaglagmagnagoagpagqagragsagtaguagvagwagxagyagzahaahbahgahhahiahkahlahmahnahoahp\
    ahrahsahtaiaaibaicaidaieaifaigaihaiiaijaikailaimainaioaipaiqairaisaitaiwaixaiyajaajgajiajnajpajs\
    ajtajuajwajzakbakcakdakeakfakgakhakiakjakkaklakmakoakpakqakraksaktakuakvakwakxakyakzalaalcaldale\
    alfalgalhalialjalkallalmalnaloalpalqalralsaltalualvalwalxalyalzamaambamcameamfamgamiamjamkamlamm\
    amnamoampamqamramsamtamuamvamwamxamyamzanaanbancandaneanfanganhanianjankanlanmannanoanpanqanrans\
    antanuanvanwanxanyanzaoaaobaocaodaoeaofaogaohaoiaojaokaolaomaonaoraosaotaouaoxaozapaapbapcapdape\
    apfapgaphapiapjapkaplapmapnapoappapqaprapsaptapuapvapwapxapyapzaqaaqcaqdaqgaqkaqlaqmaqnaqpaqraqt\
    aqzarbarcardarearhariarjarkarlarnaroarparqarrarsartaruarvarwarxaryarzasaasbascasdaseasfasgashasi\
    asjaskaslasnasoaspasqasrassastasuasvaswasxasyaszataatbatcatdateatgathatiatjatkatlatmatnatoatpatq\
    atratsattatuatvatwatxatyatzauaaubaucaudaueaufaugauhauiaujaukaulaumaunauoaupauqaurausautauuauwaux\
    auyauzavbavdaviavkavlavmavnavoavsavtavuavvawaawbawcawdaweawgawhawiawkawmawnawoawrawsawtawuawvaww\
    awxawyaxbaxeaxgaxkaxlaxmaxxayaaybaycaydayeaygayhayiaykaylaynayoaypayqayraysaytayuayxayyayzazaazb\
    azcazdazgazjazmaznazoaztazzbaababbacbadbaebafbagbahbaibajbalbanbaobapbarbasbatbaubavbawbaxbaybaz\
    bbabbbbbcbbdbbebbfbbgbbhbbibbjbbkbblbbmbbnbbobbpbbqbbrbbsbbtbbubbvbbwbbxbbybbzbcabcbbccbcdbcebcf\
    bcgbchbcibcjbckbclbcmbcnbcobcpbcqbcrbcsbctbcubcvbcwbcybczbdabdbbdcbddbdebdfbdgbdhbdibdjbdkbdlbdm\
    bdnbdobdpbdqbdrbdsbdtbdubdvbdwbdxbdybdzbeabebbecbedbeebefbegbehbeibejbekbembeobepbeqberbesbetbeu\
    bevbewbexbeybezbfabfbbfcbfdbfebffbfgbfhbfibfjbfkbflbfmbfnbfobfpbfqbfrbfsbftbfubfwbfxbfybfzbgabgb\
    bgcbgdbgebgfbggbgibgjbgkbglbgmbgnbgobgpbgqbgrbgsbgtbgubgvbgwbgxbgybgzbhabhbbhcbhdbhebhfbhgbhhbhi\
    bhjbhkbhlbhmbhnbhobhpbhqbhrbhsbhtbhubhvbhwbhxbhybhzbiabibbicbidbiebifbigbihbijbikbilbimbinbiobip\
    biqbirbitbiubivbiwbixbiybizbjabjbbjcbjdbjebjfbjgbjhbjibjjbjkbjlbjmbjnbjobjpbjqbjrbjsbjtbjubjvbjw\
    bjxbjybjzbkabkbbkcbkdbkfbkgbkhbkibkjbkkbklbkmbknbkobkpbkqbkrbksbktbkubkvbkwbkxbkybkzblablbblcbld\
    bleblfblgblhblibljblkbllblmblnbloblpblqblrblsbltblvblwblxblyblzbmabmbbmcbmdbmebmfbmgbmhbmibmjbmk\
    bmlbmmbmnbmobmpbmqbmrbmsbmtbmubmvbmwbmxbmybmzbnabnbbncbndbnebnfbngbnibnjbnkbnlbnmbnnbnobnpbnqbnr\
    bnsbntbnubnvbnwbnxbnybnzboabobboebofbogbohboibojbokbolbombonboobopboqborbotboubovbowboxboybozbpa\
    bpbbpcbpdbpebpgbphbpibpjbpkbplbpmbpnbpobppbpqbprbpsbptbpubpvbpwbpxbpybpzbqabqbbqcbqdbqfbqgbqhbqi\
    bqjbqkbqlbqmbqnbqobqpbqqbqrbqsbqtbqubqvbqwbqxbqybqzbrabrbbrcbrdbrfbrgbrhbribrjbrkbrlbrmbrnbrobrp\
    brqbrrbrsbrtbrubrvbrwbrxbrybrzbsabsbbscbsebsfbsgbshbsibsjbskbslbsmbsnbsobspbsqbsrbssbstbsubsvbsw\
    bsxbsybtabtbbtcbtdbtebtfbtgbthbtibtjbtkbtlbtmbtnbtobtpbtqbtrbtsbttbtubtvbtwbtxbtybtzbuabubbucbud\
    buebufbugbuhbuibujbukbumbunbuobupbuqbusbutbuubuvbuwbuxbuybuzbvabvbbvcbvdbvebvfbvgbvhbvibvjbvkbvl\
    bvmbvnbvobvpbvqbvrbvtbvubvvbvwbvxbvybvzbwabwbbwcbwdbwebwfbwgbwhbwibwjbwkbwlbwmbwnbwobwpbwqbwrbws\
    bwtbwubwwbwxbwybwzbxabxbbxcbxdbxebxfbxgbxhbxibxjbxkbxlbxmbxnbxobxpbxqbxrbxsbxubxvbxwbxxbxzbyabyb\
    bycbydbyebyfbygbyhbyibyjbykbylbymbynbyobypbyqbyrbysbytbyvbywbyxbyybyzbzabzbbzcbzdbzebzfbzgbzhbzi\
    bzjbzkbzlbzmbznbzobzpbzqbzrbzsbztbzubzvbzwbzxbzybzzcaacabcaccadcaecafcagcahcaicajcakcalcamcancao\
    capcaqcarcascaucavcawcaxcaycazcbacbbcbccbdcbecbgcbhcbicbjcbkcblcbncbocbqcbrcbscbtcbucbvcbwcbycca\
    cccccdcceccgcchccjcclccmccnccoccpccqccrccscdacdccddcdecdfcdgcdhcdicdjcdmcdncdocdrcdscdycdzceaceb\
    cegcekcelcencetceycfacfdcfgcfmcgacgccggcgkchbchcchdchfchgchhchjchkchlchmchnchochpchqchrchtchwchx\
    chychzciacibciccidciecihcikcimcincipcirciwciycjacjecjhcjicjkcjmcjncjocjpcjrcjscjvcjyckackbckhckl\
    ckmcknckockqckrckscktckuckvckxckyckzclaclccldcleclhclicljclkcllclmcloclscltcluclwclycmacmccmecmg\
    cmicmkcmlcmmcmncmocmrcmscmtcnacnbcnccngcnhcnicnkcnlcnocnpcnqcnrcnscntcnucnwcnxcoacobcoccodcoecof\
    cogcohcojcokcolcomconcoocopcoqcotcoucovcowcoxcoycozcpacpbcpccpecpfcpgcpicpncpocppcpscpucpxcpycqd\
    cqucracrbcrccrdcrfcrgcrhcricrjcrkcrlcrmcrncrocrpcrqcrrcrscrtcrvcrwcrxcrycrzcsacsbcsccsdcsecsfcsg\
    cshcsicsjcskcslcsmcsncsocspcsqcsrcsscstcsucsvcswcsxcsycszctactcctdctectgcthctlctmctnctoctpctsctt\
    ctuctyctzcuacubcuccugcuhcuicujcukculcumcuocupcuqcurcuscutcuucuvcuwcuxcuycvgcvncwacwbcwdcwecwgcwt\
    cxhcyacybcyoczhczkcznczocztdaadacdaddaedafdagdahdaidajdakdaldamdaodapdaqdardasdaudavdawdaxdaydaz\
    dbadbbdbddbedbfdbgdbidbjdbldbmdbndbodbpdbqdbrdbtdbudbvdbwdbydccdcrddadddddeddgddiddjddnddoddrdds\
    ddwdecdeddeedefdegdehdeidekdeldemdendepdeqderdesdevdezdgadgbdgcdgddgedggdghdgidgkdgldgndgodgrdgs\
    dgtdgudgwdgxdgzdhadhddhgdhidhldhmdhndhodhrdhsdhudhvdhwdhxdiadibdicdiddifdigdihdiidijdikdildimdin\
    diodipdiqdirdisditdiudiwdixdiydizdjadjbdjcdjddjedjfdjidjjdjkdjldjmdjndjodjrdjudjwdkadkgdkkdkldkr\
    dksdkxdlgdlkdlmdlndmadmbdmcdmddmedmfdmgdmkdmldmmdmndmodmrdmsdmudmvdmwdmxdmydnadnddnedngdnidnjdnk\
    dnndnodnrdntdnudnvdnwdnydoadobdocdoedofdohdoidokdoldondoodopdoqdordosdotdovdowdoxdoydozdppdradrb\
    drcdrddredrgdrhdridrldrndrodrqdrrdrsdrtdrudrwdrydsbdsedshdsidskdsldsndsodsqdszdtadtbdtddthdtidtk\
    dtmdtndtodtpdtrdtsdttdtudtyduadubducdudduedufdugduhduidujdukduldumdunduodupduqdurdusduuduvduwdux\
    duyduzdvadwadwkdwldwrdwsdwudwwdwydwzdyadybdyddygdyidyldymdyndyodyrdyudyydzadzddzedzgdzldzneaaebc\
    ebgebkeboebrebuecrecsecyeeeefaefeefiegaeglegmegoegxegyehsehueipeiteivejaekaekcekeekgekiekkeklekm\
    ekoekpekrekyeleelhelielkelmeloelpeluelxemaembemeemgemiemkemmemnemoempemqemsemuemwemxemyemzenaenb\
    encendenfenhenlenmennenoenqenrenuenvenwenxeotepieraergerherierkeroerrerserterweseesgeshesieskesl\
    esmesnesoesqessesuesxesyetbetcethetnetoetretsettetuetxetzeudeuqeveevhevnewoexteyaeyoezaezefaafab\
    fadfaffagfahfaifajfakfalfamfanfapfarfatfaufaxfayfazfblfcsferffiffmfgrfiafiefiffilfipfirfitfiufiw\
    fkkfkvflaflhflifllflnflrflyfmpfmufnbfngfnifodfoifomfonforfosfoxfpefqsfrcfrdfrkfrmfrofrpfrqfrrfrs\
    frtfsefslfssfubfucfudfuefuffuhfuifujfumfunfuqfurfutfuufuvfuyfvrfwafwegaagabgacgadgaegafgaggahgai\
    gajgakgalgamgangaogapgaqgargasgatgaugavgawgaxgaygazgbagbbgbcgbdgbegbfgbggbhgbigbjgbkgblgbmgbngbo\
    gbpgbqgbrgbsgbugbvgbwgbxgbygbzgccgcdgcegcfgclgcngcrgctgdagdbgdcgddgdegdfgdggdhgdigdjgdkgdlgdmgdn\
    gdogdqgdrgdsgdtgdugdxgeagebgecgedgefgeggehgeigejgekgelgemgeqgesgevgewgexgeygezgfkgftgfxggaggbggd\
    ggegggggkgglggnggoggrggtgguggwghaghcgheghhghkghlghnghoghrghsghtgiagibgicgidgiegiggihgiigilgimgin\
    giogipgiqgirgisgitgiugiwgixgiygizgjigjkgjmgjngjrgjugkagkdgkegkngkogkpgkuglbglcgldglhgligljglkgll\
    gloglrgluglwglygmagmbgmdgmegmggmhgmlgmmgmngmqgmrgmugmvgmwgmxgmygmzgnagnbgncgndgnegnggnhgnignjgnk\
    gnlgnmgnngnognqgnrgntgnugnwgnzgoagobgocgodgoegofgoggohgoigojgokgolgomgongoogopgoqgorgosgotgougov\
    gowgoxgoygozgpagpegpngqagqigqngqrgqugragrbgrcgrdgrggrhgrigrjgrkgrmgrogrqgrrgrsgrtgrugrvgrwgrxgry\
    grzgsegsggslgsmgsngsogspgssgswgtagtigtuguagubgucgudguegufgugguhguigukgulgumgunguogupguqgurgusgut\
    guuguvguwguxguzgvagvcgvegvfgvjgvlgvmgvngvogvpgvrgvsgvygwagwbgwcgwdgwegwfgwggwigwjgwmgwngwrgwtgwu\
    gwwgwxgxxgyagybgydgyegyfgyggyigylgymgyngyogyrgyygyzgzagzigznhaahabhachadhaehafhaghahhaihajhakhal\
    hamhanhaohaphaqharhashavhawhaxhayhazhbahbbhbnhbohbuhcahchhdnhdshdyheahedheghehheihemhgmhgwhhihhr\
    hhyhiahibhidhifhighihhiihijhikhilhimhiohirhithiwhixhjihkahkehkhhkkhknhkshlahlbhldhlehlthluhmahmb\
    hmchmdhmehmfhmghmhhmihmjhmkhmlhmmhmnhmphmqhmrhmshmthmuhmvhmwhmxhmyhmzhnahndhnehnghnhhnihnjhnmhnn\
    hnohnshnuhoahobhochodhoehohhoihojhokholhomhoohophorhoshothovhowhoyhozhpohpshrahrchrehrkhrmhrohrp\
    hrrhrthruhrwhrxhrzhsbhshhslhsnhsshtihtohtshtuhtxhubhuchudhuehufhughuhhuihujhukhulhumhuohuphuqhur\
    hushuthuuhuvhuwhuxhuyhuzhvchvehvkhvnhvvhwahwchwohyahywhyxiaiianiapiaribaibbibdibeibgibhibiiblibm\
    ibnibribuibyicaichiclicridaidbidciddideidiidridsidtiduifaifbifeiffifkifmifuifyigbigeiggigligmign\
    igoigsigwihbihiihpihwiiniirijcijeijjijnijoijsikeikhikiikkiklikoikpikriksiktikvikwikxikzilailbilg\
    iliilkillilmiloilpilsiluilvilwimaimeimiimlimnimoimrimsimtimyinbincineinginhinjinlinminninoinpins\
    intinzioriouiowipiipoiquiqwiraireirhiriirkirniroirriruirxiryisaiscisdiseisgishisiiskismisnisoisr\
    istisuisvitbitcitditeitiitkitlitmitoitritsittitvitwitxityitziumivbivviwkiwmiwoiwsixcixliyaiyoiyx\
    izhiziizmizrizzjaajabjacjadjaejafjahjajjakjaljamjanjaojaqjarjasjatjaujaxjayjazjbejbijbjjbkjbmjbn\
    jbojbrjbtjbujbwjcsjctjdajdgjdtjebjeejegjehjeijekjeljenjerjetjeujgbjgejgkjgojhijhsjiajibjicjidjie\
    jigjihjiijiljimjiojiqjitjiujivjiyjjejjrjkajkmjkojkpjkrjksjkujlejlsjmajmbjmcjmdjmijmljmnjmrjmsjmw\
    jmxjnajndjngjnijnjjnljnsjobjodjogjorjosjowjpajprjpxjqrjrajrbjrrjrtjrujsljuajubjucjudjuhjuijukjul\
    jumjunjuojupjurjusjutjuujuwjuyjvdjvnjwijyajyejyykaakabkackadkaekafkagkahkaikajkakkamkaokapkaqkar\
    kavkawkaxkaykbakbbkbckbdkbekbfkbgkbhkbikbjkbkkblkbmkbnkbokbpkbqkbrkbskbtkbukbvkbwkbxkbykbzkcakcb\
    kcckcdkcekcfkcgkchkcikcjkckkclkcmkcnkcokcpkcqkcrkcskctkcukcvkcwkcxkcykczkdakdckddkdekdfkdgkdhkdi\
    kdjkdkkdlkdmkdnkdokdpkdqkdrkdtkdukdvkdwkdxkdykdzkeakebkeckedkeekefkegkehkeikejkekkelkemkenkeokep\
    keqkerkesketkeukevkewkexkeykezkfakfbkfckfdkfekffkfgkfhkfikfjkfkkflkfmkfnkfokfpkfqkfrkfskftkfukfv\
    kfwkfxkfykfzkgakgbkgckgdkgekgfkggkghkgikgjkgkkglkgmkgnkgokgpkgqkgrkgskgtkgukgvkgwkgxkgykhakhbkhc\
    khdkhekhfkhgkhhkhikhjkhkkhlkhnkhokhpkhqkhrkhskhtkhukhvkhwkhxkhykhzkiakibkickidkiekifkigkihkiikij\
    kilkimkiokipkiqkiskitkiukivkiwkixkiykizkjakjbkjckjdkjekjfkjgkjhkjikjjkjkkjlkjmkjnkjokjpkjqkjrkjs\
    kjtkjukjvkjxkjykjzkkakkbkkckkdkkekkfkkgkkhkkikkjkkkkklkkmkknkkokkpkkqkkrkkskktkkukkvkkwkkxkkykkz\
    klaklbklckldkleklfklgklhklikljklkkllklmklnkloklpklqklrklskltkluklvklwklxklyklzkmakmbkmckmdkmekmf\
    kmgkmhkmikmjkmkkmlkmmkmnkmokmpkmqkmrkmskmtkmukmvkmwkmxkmykmzknaknbknckndkneknfkngkniknjknkknlknm\
    knnknoknpknqknrknskntknuknvknwknxknyknzkoakockodkoekofkogkohkoikojkokkolkookopkoqkoskotkoukovkow\
    koxkoykozkpakpbkpckpdkpekpfkpgkphkpikpjkpkkplkpmkpnkpokppkpqkprkpskptkpukpvkpwkpxkpykpzkqakqbkqc\
    kqdkqekqfkqgkqhkqikqjkqkkqlkqmkqnkqokqpkqqkqrkqskqtkqukqvkqwkqxkqykqzkrakrbkrckrdkrekrfkrhkrikrj\
    krkkrlkrmkrnkrokrpkrrkrskrtkrukrvkrwkrxkrykrzksaksbkscksdkseksfksgkshksiksjkskkslksmksnksokspksq\
    ksrksskstksuksvkswksxksykszktaktbktcktdktektfktgkthktiktjktkktlktmktnktoktpktqktrktskttktuktvktw\
    ktxktyktzkubkuckudkuekufkugkuhkuikujkukkulkumkunkuokupkuqkuskutkuukuvkuwkuxkuykuzkvakvbkvckvdkve\
    kvfkvgkvhkvikvjkvkkvlkvmkvnkvokvpkvqkvrkvskvtkvukvvkvwkvxkvykvzkwakwbkwckwdkwekwfkwgkwhkwikwjkwk\
    kwlkwmkwnkwokwpkwqkwrkwskwtkwukwvkwwkwxkwykwzkxakxbkxckxdkxekxfkxhkxikxjkxkkxlkxmkxnkxokxpkxqkxr\
    kxskxtkxukxvkxwkxxkxykxzkyakybkyckydkyekyfkygkyhkyikyjkykkylkymkynkyokypkyqkyrkyskytkyukyvkywkyx\
    kyykyzkzakzbkzckzdkzekzfkzgkzhkzikzjkzkkzlkzmkznkzokzpkzqkzrkzskztkzukzvkzwkzxkzykzzlaalablaclad\
    laelaflaglahlailajlaklallamlanlaplaqlarlaslaulawlaxlaylazlbalbblbclbelbflbglbilbjlbklbllbmlbnlbo\
    lbqlbrlbslbtlbulbvlbwlbxlbylbzlcclcdlcelcflchlcllcmlcplcqlcsldaldblddldgldhldildjldkldlldmldnldo\
    ldpldqlealeblecledleelefleglehleilejleklellemlenleolepleqlerlesletleulevlewlexleylezlfalfblfnlga\
    lgblgglghlgilgklgllgmlgnlgolgqlgrlgslgtlgulgzlhalhhlhilhllhmlhnlhplhslhtlhulialibliclidlieliflig\
    lihliilijliklilliolipliqlirlisliulivliwlixliylizljaljeljiljlljpljwljxlkalkblkclkdlkelkhlkilkjlkl\
    lkmlknlkolkrlkslktlkulkyllallbllclldllellfllgllhllilljllklllllmllnllollpllqllsllullxlmalmblmclmd\
    lmelmflmglmhlmilmjlmklmllmmlmnlmolmplmqlmrlmulmvlmwlmxlmylmzlnalnblndlnglnhlnilnjlnllnmlnnlnolns\
    lnulnwlnzloaloblocloelofloglohloilojloklollomlonlooloploqlorloslotloulovlowloxloylozlpalpelpnlpo\
    lpxlqrlralrclrelrglrilrklrllrmlrnlrolrrlrtlrvlrzlsalsblsclsdlselsglshlsilsllsmlsnlsolsplsrlsslst\
    lsvlswlsyltcltglthltiltnltoltsltulualucludluelufluhluilujluklullumlunluolupluqlurluslutluuluvluw\
    luyluzlvalvilvklvllvslvulwalwelwglwhlwllwmlwolwslwtlwulwwlxmlyalyglynlzhlzllznlzzmaamabmadmaemaf\
    magmaimajmakmammanmapmaqmasmatmaumavmawmaxmazmbambbmbcmbdmbembfmbhmbimbjmbkmblmbmmbnmbombpmbqmbr\
    mbsmbtmbumbvmbwmbxmbymbzmcamcbmccmcdmcemcfmcgmchmcimcjmckmclmcmmcnmcomcpmcqmcrmcsmctmcumcvmcwmcx\
    mcymczmdamdbmdcmddmdemdfmdgmdhmdimdjmdkmdlmdmmdnmdpmdqmdrmdsmdtmdumdvmdwmdxmdymdzmeamebmecmedmee\
    mefmegmehmeimejmekmelmemmenmeomepmeqmermesmetmeumevmewmeymezmfamfbmfcmfdmfemffmfgmfhmfimfjmfkmfl\
    mfmmfnmfomfpmfqmfrmfsmftmfumfvmfwmfxmfymfzmgamgbmgcmgdmgemgfmggmghmgimgjmgkmglmgmmgnmgomgpmgqmgr\
    mgsmgtmgumgvmgwmgxmgymgzmhamhbmhcmhdmhemhfmhgmhhmhimhjmhkmhlmhmmhnmhomhpmhqmhrmhsmhtmhumhwmhxmhy\
    mhzmiamibmicmidmiemifmigmihmiimijmikmilmimminmiomipmiqmirmismitmiumiwmixmiymizmjamjbmjcmjdmjemjg\
    mjhmjimjjmjkmjlmjmmjnmjomjpmjqmjrmjsmjtmjumjvmjwmjxmjymjzmkamkbmkcmkemkfmkgmkhmkimkjmkkmklmkmmkn\
    mkomkpmkqmkrmksmktmkumkvmkwmkxmkymkzmlamlbmlcmldmlemlfmlhmlimljmlkmllmlmmlnmlomlpmlqmlrmlsmlumlv\
    mlwmlxmlzmmammbmmcmmdmmemmfmmgmmhmmimmjmmkmmlmmmmmnmmommpmmqmmrmmtmmummvmmwmmxmmymmzmnamnbmncmnd\
    mnemnfmngmnhmnimnjmnkmnlmnmmnnmnomnpmnqmnrmnsmntmnumnvmnwmnxmnymnzmoamocmodmoemofmogmohmoimojmok\
    mommoomopmoqmormosmotmoumovmowmoxmoymozmpampbmpcmpdmpempgmphmpimpjmpkmplmpmmpnmpomppmpqmprmpsmpt\
    mpumpvmpwmpxmpympzmqamqbmqcmqemqfmqgmqhmqimqjmqkmqlmqmmqnmqomqpmqqmqrmqsmqtmqumqvmqwmqxmqymqzmra\
    mrbmrcmrdmremrfmrgmrhmrjmrkmrlmrmmrnmromrpmrqmrrmrsmrtmrumrvmrwmrxmrymrzmsbmscmsdmsemsfmsgmshmsi\
    msjmskmslmsmmsnmsomspmsqmsrmssmstmsumsvmswmsxmsymszmtamtbmtcmtdmtemtfmtgmthmtimtjmtkmtlmtmmtnmto\
    mtpmtqmtrmtsmttmtumtvmtwmtxmtymuamubmucmudmuemugmuhmuimujmukmulmummunmuomupmuqmurmusmutmuumuvmux\
    muymuzmvamvbmvdmvemvfmvgmvhmvimvkmvlmvmmvnmvomvpmvqmvrmvsmvtmvumvvmvwmvxmvymvzmwamwbmwcmwdmwemwf\
    mwgmwhmwimwjmwkmwlmwmmwnmwomwpmwqmwrmwsmwtmwumwvmwwmwxmwymwzmxamxbmxcmxdmxemxfmxgmxhmximxjmxkmxl\
    mxmmxnmxomxpmxqmxrmxsmxtmxumxvmxwmxxmxymxzmybmycmydmyemyfmygmyhmyimyjmykmylmymmynmyomypmyqmyrmys\
    mytmyumyvmywmyxmyymyzmzamzbmzcmzdmzemzgmzhmzimzjmzkmzlmzmmznmzomzpmzqmzrmzsmztmzumzvmzwmzxmzymzz\
    naanabnacnadnaenafnagnahnainajnaknalnamnannaonapnaqnarnasnatnawnaxnaynaznbanbbnbcnbdnbenbfnbgnbh\
    nbinbjnbknbmnbnnbonbpnbqnbrnbsnbtnbunbvnbwnbxnbyncancbnccncdncencfncgnchncincjncknclncmncnnconcp\
    ncqncrncsnctncuncxnczndandbndcnddndfndgndhndindjndkndlndmndnndpndqndrndsndtndundvndwndxndyndznea\
    nebnecnedneenefnegnehneinejneknemnenneoneqnernesnetneunevnewnexneyneznfanfdnflnfrnfungangbngcngd\
    ngengfnggnghngingjngknglngmngnngongpngqngrngsngtngungvngwngxngyngznhanhbnhcnhdnhenhfnhgnhhnhinhk\
    nhmnhnnhonhpnhqnhrnhtnhunhvnhwnhxnhynhznianibnicnidnienifnignihniinijniknilnimninnioniqnirnisnit\
    niunivniwnixniyniznjanjbnjdnjhnjinjjnjlnjmnjnnjonjrnjsnjtnjunjxnjynjznkankbnkcnkdnkenkfnkgnkhnki\
    nkjnkknkmnknnkonkpnkqnkrnksnktnkunkvnkwnkxnkznlanlcnlenlgnlinljnlknllnlmnlnnlonlqnlrnlunlvnlwnlx\
    nlynlznmanmbnmcnmdnmenmfnmgnmhnminmjnmknmlnmmnmnnmonmpnmqnmrnmsnmtnmunmvnmwnmxnmynmznnannbnncnnd\
    nnennfnngnnhnninnjnnknnlnnmnnnnnpnnqnnrnnsnntnnunnvnnwnnxnnynnznoanocnodnoenofnognohnoinojnoknol\
    nomnonnoonopnoqnosnotnounovnownoynoznpanpbnpgnphnpinplnpnnponpsnpunpxnpynqgnqknqlnqmnqnnqonqqnqt\
    nqynranrbnrcnrenrfnrgnrinrknrlnrmnrnnrpnrrnrtnrunrxnrznsansbnscnsdnsensfnsgnshnsinsknslnsmnsnnso\
    nspnsqnsrnssnstnsunsvnswnsxnsynszntdntentgntintjntkntmntontpntrntsntuntwntxntyntznuanubnucnudnue\
    nufnugnuhnuinujnuknulnumnunnuonupnuqnurnusnutnuunuvnuwnuxnuynuznvhnvmnvonwanwbnwcnwenwgnwinwmnwo\
    nwrnwwnwxnwynxanxdnxenxgnxinxknxlnxmnxnnxonxqnxrnxunxxnybnycnydnyenyfnygnyhnyinyjnyknylnymnynnyo\
    nypnyqnyrnysnytnyunyvnywnyxnyynzanzbnzdnzinzknzmnzrnzsnzunzynzzoaaoacoakoaroavobiobkoblobmoboobr\
    obtobuocaochocmocoocuodaodkodtoduofoofsofuogbogcogeoggogooguohtohuoiaoieoinojbojcojgojpojsojvojw\
    okaokbokcokdokeokgokhokiokjokkoklokmoknokookroksokuokvokxokzolaolboldoleolkolmoloolroltoluomaomb\
    omcomeomgomiomkomlomnomoompomqomromtomuomvomwomxomyonaonboneongonionjonkonnonoonponronsontonuonw\
    onxoodoogoonooroosopaopkopmopooptopyoraorcoreorgorhornoroorrorsortoruorvorworxoryorzosaoscosdosi\
    osnosoospostosuosxotaotbotdoteotiotkotlotmotnotootqotrotsottotuotwotxotyotzouaouboueouioumounovd\
    owiowloyboydoymoyyozmpaapabpacpadpaepafpagpahpaipakpalpampaopappaqparpaspatpaupavpawpaxpaypazpbb\
    pbcpbepbfpbgpbhpbipblpbmpbnpbopbppbrpbspbtpbupbvpbypbzpcapcbpccpcdpcepcfpcgpchpcipcjpckpclpcmpcn\
    pcppcrpcwpdapdcpdipdnpdopdtpdupeapebpedpeepefpegpehpeipejpekpelpempeopeppeqpespevpexpeypezpfapfe\
    pflpgapgdpggpgipgkpglpgnpgspgupgypgzphaphdphgphhphiphjphkphlphmphnphophqphrphtphuphvphwpiapibpic\
    pidpiepifpigpihpiipijpilpimpinpiopippirpispitpiupivpiwpixpiypizpjtpkapkbpkcpkgpkhpknpkopkppkrpks\
    pktpkuplaplbplcpldpleplfplgplhpljplkpllplnploplpplqplrplspltpluplvplwplyplzpmapmbpmcpmdpmepmfpmh\
    pmipmjpmkpmlpmmpmnpmopmqpmrpmspmtpmupmwpmxpmypmzpnapnbpncpndpnepngpnhpnipnjpnkpnlpnmpnnpnopnppnq\
    pnrpnspntpnupnvpnwpnxpnypnzpocpodpoepofpogpohpoipokpomponpoopoppoqpospotpovpowpoxpoypozppappeppi\
    ppkpplppmppnppopppppqpprppspptppupqapqepqmpqwpraprbprcprdpreprfprgprhpriprkprlprmprnproprpprqprr\
    prsprtpruprwprxpryprzpsapscpsdpsepsgpshpsipslpsmpsnpsopsppsqpsrpsspstpsupswpsyptapthptiptnptoptp\
    ptqptrpttptuptvptwptypuapubpucpudpuepufpugpuipujpukpumpuopuppuqpurputpuupuwpuxpuypuzpwapwbpwgpwi\
    pwmpwnpwopwrpwwpxmpyepympynpyspyupyxpyypzepzhpznqaaqabqacqadqaeqafqagqahqaiqajqakqalqamqanqaoqap\
    qaqqarqasqatqauqavqawqaxqayqazqbaqbbqbcqbdqbeqbfqbgqbhqbiqbjqbkqblqbmqbnqboqbpqbqqbrqbsqbtqbuqbv\
    qbwqbxqbyqbzqcaqcbqccqcdqceqcfqcgqchqciqcjqckqclqcmqcnqcoqcpqcqqcrqcsqctqcuqcvqcwqcxqcyqczqdaqdb\
    qdcqddqdeqdfqdgqdhqdiqdjqdkqdlqdmqdnqdoqdpqdqqdrqdsqdtqduqdvqdwqdxqdyqdzqeaqebqecqedqeeqefqegqeh\
    qeiqejqekqelqemqenqeoqepqeqqerqesqetqeuqevqewqexqeyqezqfaqfbqfcqfdqfeqffqfgqfhqfiqfjqfkqflqfmqfn\
    qfoqfpqfqqfrqfsqftqfuqfvqfwqfxqfyqfzqgaqgbqgcqgdqgeqgfqggqghqgiqgjqgkqglqgmqgnqgoqgpqgqqgrqgsqgt\
    qguqgvqgwqgxqgyqgzqhaqhbqhcqhdqheqhfqhgqhhqhiqhjqhkqhlqhmqhnqhoqhpqhqqhrqhsqhtqhuqhvqhwqhxqhyqhz\
    qiaqibqicqidqieqifqigqihqiiqijqikqilqimqinqioqipqiqqirqisqitqiuqivqiwqixqiyqizqjaqjbqjcqjdqjeqjf\
    qjgqjhqjiqjjqjkqjlqjmqjnqjoqjpqjqqjrqjsqjtqjuqjvqjwqjxqjyqjzqkaqkbqkcqkdqkeqkfqkgqkhqkiqkjqkkqkl\
    qkmqknqkoqkpqkqqkrqksqktqkuqkvqkwqkxqkyqkzqlaqlbqlcqldqleqlfqlgqlhqliqljqlkqllqlmqlnqloqlpqlqqlr\
    qlsqltqluqlvqlwqlxqlyqlzqmaqmbqmcqmdqmeqmfqmgqmhqmiqmjqmkqmlqmmqmnqmoqmpqmqqmrqmsqmtqmuqmvqmwqmx\
    qmyqmzqnaqnbqncqndqneqnfqngqnhqniqnjqnkqnlqnmqnnqnoqnpqnqqnrqnsqntqnuqnvqnwqnxqnyqnzqoaqobqocqod\
    qoeqofqogqohqoiqojqokqolqomqonqooqopqoqqorqosqotqouqovqowqoxqoyqozqpaqpbqpcqpdqpeqpfqpgqphqpiqpj\
    qpkqplqpmqpnqpoqppqpqqprqpsqptqpuqpvqpwqpxqpyqpzqqaqqbqqcqqdqqeqqfqqgqqhqqiqqjqqkqqlqqmqqnqqoqqp\
    qqqqqrqqsqqtqquqqvqqwqqxqqyqqzqraqrbqrcqrdqreqrfqrgqrhqriqrjqrkqrlqrmqrnqroqrpqrqqrrqrsqrtqruqrv\
    qrwqrxqryqrzqsaqsbqscqsdqseqsfqsgqshqsiqsjqskqslqsmqsnqsoqspqsqqsrqssqstqsuqsvqswqsxqsyqszqtaqtb\
    qtcqtdqteqtfqtgqthqtiqtjqtkqtlqtmqtnqtoqtpqtqqtrqtsqttqtuqtvqtwqtxqtyqtzquaqubqucqudqufqugquhqui\
    qukqulqumqunqupquqqurqusquvquwquxquyquzqvaqvcqveqvhqviqvjqvlqvmqvnqvoqvpqvsqvwqvyqvzqwaqwcqweqwh\
    qwmqwsqwtqxaqxcqxhqxlqxnqxoqxpqxqqxrqxsqxtqxuqxwqyaqypraarabracradrafragrahrairajrakralramranrao\
    rapraqrarrasratrauravrawraxrayrazrbbrbkrblrbprcfrdbrearebreeregreirejrelremrenrerresretreyrgarge\
    rgkrgnrgrrgsrgurhgrhpriaribrierifrilrimrinrirritriurjgrjirjsrkarkbrkhrkirkmrktrkwrmarmbrmcrmdrme\
    rmfrmgrmhrmirmkrmlrmmrmnrmormprmqrmrrmsrmtrmurmvrmwrmxrmyrmzrnarnbrndrngrnlrnnrnprnrrnwroarobroc\
    rodroerofrogrolromrooroprorrourowrpnrptrrirrmrrorrtrsbrsirskrslrsmrsnrswrtcrthrtmrtsrtwrubrucrue\
    rufrugruhruirukruorupruqrutruuruyruzrwarwkrwlrwmrworwrrxdrxwrynrysryurzhsaasabsacsadsaesafsahsai\
    sajsaksalsamsaosapsaqsarsassatsausavsawsaxsaysazsbasbbsbcsbdsbesbfsbgsbhsbisbjsbksblsbmsbnsbosbp\
    sbqsbrsbssbtsbusbvsbwsbxsbysbzscascbscescfscgschsciscksclscnscoscpscqscssctscuscvscwscxsczsdasdb\
    sdcsdesdfsdgsdhsdjsdksdlsdmsdnsdosdpsdqsdrsdssdtsdusdvsdxsdzseasebsecsedseesefsegsehseisejseksel\
    semsenseosepseqsersessetseusevsewseysezsfbsfesfmsfssfwsgasgbsgcsgdsgesggsghsgisgjsgksglsgmsgnsgo\
    sgpsgrsgssgtsgusgwsgxsgysgzshashbshcshdsheshgshhshishjshkshlshmshnshoshpshqshrshsshtshushvshwshx\
    shyshzsiasibsidsiesifsigsihsiisijsiksilsimsiosipsiqsirsissitsiusivsiwsixsiysizsjasjbsjcsjdsjesjg\
    sjksjlsjmsjnsjosjpsjrsjssjtsjusjwskaskbskcskdskeskfskgskhskiskjskkskmsknskoskpskqskrskssktskuskv\
    skwskxskyskzslaslcsldsleslfslgslhslisljsllslmslnslpslqslrslssltsluslwslxslyslzsmasmbsmcsmdsmfsmg\
    smhsmismjsmksmlsmmsmnsmpsmqsmrsmssmtsmusmvsmwsmxsmysmzsnbsncsnesnfsngsnhsnisnjsnksnlsnmsnnsnosnp\
    snqsnrsnssnusnvsnwsnxsnysnzsoasobsocsodsoesogsohsoisojsoksolsonsoosopsoqsorsossousovsowsoxsoysoz\
    spbspcspdspespgspispksplspmspnsposppspqsprspssptspuspvspxspysqasqhsqjsqksqmsqnsqosqqsqrsqssqtsqu\
    sqxsrasrbsrcsresrfsrgsrhsrisrksrlsrmsrnsrosrqsrrsrssrtsrusrvsrwsrxsrysrzssassbsscssdssessfssgssh\
    ssissjssksslssmssnssosspssqssrssssstssussvssxssysszstastbstdstestfstgsthstistjstkstlstmstnstostp\
    stqstrstssttstustvstwstysuasubsucsuesugsuisujsuksulsumsuosuqsursussutsuvsuwsuxsuysuzsvasvbsvcsve\
    svksvmsvrsvssvxswbswcswfswgswhswiswjswkswlswmswnswoswpswqswrswsswtswuswvswwswxswysxbsxcsxesxgsxk\
    sxlsxmsxnsxosxrsxssxusxwsyasybsycsydsyisyksylsymsynsyosyrsyssywsyxsyyszaszbszcszdszeszgszlsznszp\
    szsszvszwszytaatabtactadtaetaftagtaitajtaktaltantaotaptaqtartastautavtawtaxtaytaztbatbbtbctbdtbe\
    tbftbgtbhtbitbjtbktbltbmtbntbotbptbqtbrtbstbttbutbvtbwtbxtbytbztcatcbtcctcdtcetcftcgtchtcitcktcl\
    tcmtcntcotcptcqtcstcttcutcwtcxtcytcztdatdbtdctddtdetdftdgtdhtditdjtdktdltdmtdntdotdqtdrtdstdttdu\
    tdvtdxtdyteatebtectedteeteftegtehteitektemtenteotepteqtertestetteutevtewtexteyteztfitfntfotfrtft\
    tgatgbtgctgdtgetgftggtghtgitgjtgntgotgptgqtgrtgstgttgutgvtgwtgxtgytgzthcthdthethfthhthithkthlthm\
    thnthpthqthrthsthtthuthvthwthxthythztiatictidtietiftigtihtiitijtiktiltimtintiotiptiqtistittiutiv\
    tiwtixtiytiztjatjgtjitjjtjltjmtjntjotjptjstjutjwtkatkbtkdtketkftkgtkktkltkmtkntkptkqtkrtkstkttku\
    tkvtkwtkxtkztlatlbtlctldtlftlgtlhtlitljtlktlltlmtlntlotlptlqtlrtlstlttlutlvtlwtlxtlytmatmbtmctmd\
    tmetmftmgtmhtmitmjtmktmltmmtmntmotmptmqtmrtmstmttmutmvtmwtmytmztnatnbtnctndtnetnftngtnhtnitnktnl\
    tnmtnntnotnptnqtnrtnstnttnutnvtnwtnxtnytnztobtoctodtoetoftogtohtoitojtoktoltomtootoptoqtortostou\
    tovtowtoxtoytoztpatpctpetpftpgtpitpjtpktpltpmtpntpotpptpqtprtpttputpvtpwtpxtpytpztqbtqltqmtqntqo\
    tqptqqtqrtqttqutqwtratrbtrctrdtretrftrgtrhtritrjtrktrltrmtrntrotrptrqtrrtrstrttrutrvtrwtrxtrytrz\
    tsatsbtsctsdtsetsftsgtshtsitsjtsktsltsmtsptsqtsrtsststtsutsvtswtsxtsytszttattbttcttdttettfttgtth\
    ttittjttkttlttmttnttottpttqttrttstttttuttvttwttyttztuatubtuctudtuetuftugtuhtuitujtultumtuntuotup\
    tuqtustuttuutuvtuwtuxtuytuztvatvdtvetvgtvitvktvltvmtvntvotvstvttvutvwtvxtvytwatwbtwctwdtwetwftwg\
    twhtwltwmtwntwotwptwqtwrtwttwutwwtwxtwytxatxbtxctxetxgtxhtxitxjtxmtxntxotxqtxrtxstxttxutxxtxytya\
    tyetyhtyityjtyltyntyptyrtystyttyutyvtyxtyytyztzatzhtzjtzltzmtzntzotzxuamuanuarubaubiublubrubuuby\
    udaudeudgudiudjudludmuduuesufiugaugbugeughugnugougyuhauhnuisuivujiukaukgukhukiukkuklukpukquksuku\
    ukvukwukyulaulbulculeulfuliulkullulmulnuluulwulyumaumbumcumdumgumiummumnumoumpumrumsumuunaundune\
    unguniunkunmunnunpunrunuunxunzuokuonupiupvuraurburcureurfurgurhuriurjurkurlurmurnurourpurrurturu\
    urvurwurxuryurzusaushusiuskuspussusuutauteuthutputrutuuumuunuuruuuuveuvhuvluwauyauznuzsvaavaevaf\
    vagvahvaivajvalvamvanvaovapvarvasvauvavvayvbbvbkvecvedvelvemveovepvervgrvgtvicvidvifvigvilvinvis\
    vitvivvjkvkavkivkjvkkvklvkmvknvkovkpvktvkuvkzvlpvlsvmavmbvmcvmdvmevmfvmgvmhvmivmjvmkvmlvmmvmpvmq\
    vmrvmsvmuvmvvmwvmxvmyvmzvnkvnmvnpvorvotvravrovrsvrtvsivslvsnvsvvtovumvunvutvwawaawabwacwadwaewaf\
    wagwahwaiwajwakwalwamwanwaowapwaqwarwaswatwauwavwawwaxwaywazwbawbbwbewbfwbhwbiwbjwbkwblwbmwbpwbq\
    wbrwbswbtwbvwbwwcawciwddwdgwdjwdkwdtwduwdyweawecwedwegwehweiwemwenweowepwerweswetweuwewwfgwgawgb\
    wggwgiwgowguwgwwgywhawhgwhkwhuwibwicwiewifwigwihwiiwijwikwilwimwinwirwitwiuwivwiwwiywjawjiwkawkb\
    wkdwklwkrwkuwkwwkywlawlcwlewlgwlhwliwlkwllwlmwlowlrwlswluwlvwlwwlxwlywmawmbwmcwmdwmewmgwmhwmiwmm\
    wmnwmowmswmtwmwwmxwnbwncwndwnewngwniwnkwnmwnnwnownpwnuwnwwnywoawobwocwodwoewofwogwoiwokwomwonwoo\
    worwoswowwoywpcwrawrbwrdwrgwrhwriwrkwrlwrmwrnwrowrpwrrwrswruwrvwrwwrxwrywrzwsawsgwsiwskwsrwsswsu\
    wsvwtbwtfwthwtiwtkwtmwtwwuawubwudwuhwulwumwunwurwutwuuwuvwuxwuywwawwbwwowwrwwwwxawxwwyawybwyiwym\
    wynwyrwyyxaaxabxacxadxaexagxaixajxakxalxamxanxaoxapxaqxarxasxatxauxavxawxayxbaxbbxbcxbdxbexbgxbi\
    xbjxbmxbnxboxbpxbrxbwxbxxbyxcbxccxcexcgxchxclxcmxcnxcoxcrxctxcuxcvxcwxcyxdaxdcxdkxdmxdoxdqxdyxeb\
    xedxegxelxemxepxerxesxetxeuxfaxgaxgbxgdxgfxggxgixglxgmxgnxgrxguxgwxhaxhcxhdxhexhmxhrxhtxhuxhvxia\
    xibxiixilxinxipxirxisxivxiyxjbxjtxkaxkbxkcxkdxkexkfxkgxkhxkixkjxkkxklxknxkoxkpxkqxkrxksxktxkuxkv\
    xkwxkxxkyxkzxlaxlbxlcxldxlexlgxlixlnxloxlpxlsxluxlyxmaxmbxmcxmdxmexmfxmgxmhxmjxmkxmlxmmxmnxmoxmp\
    xmqxmrxmsxmtxmuxmvxmwxmxxmyxmzxnaxnbxndxngxnhxnixnjxnkxnmxnnxnoxnqxnrxnsxntxnuxnyxnzxocxodxogxoi\
    xokxomxonxooxopxorxowxpaxpbxpcxpdxpexpfxpgxphxpixpjxpkxplxpmxpnxpoxppxpqxprxpsxptxpuxpvxpwxpxxpy\
    xpzxqaxqtxraxrbxrdxrexrgxrixrmxrnxrqxrrxrtxruxrwxsaxsbxscxsdxsexshxsixsjxslxsmxsnxsoxspxsqxsrxss\
    xsuxsvxsyxtaxtbxtcxtdxtextgxthxtixtjxtlxtmxtnxtoxtpxtqxtrxtsxttxtuxtvxtwxtyxtzxuaxubxudxugxujxul\
    xumxunxuoxupxurxutxuuxvexvixvnxvoxvsxwaxwcxwdxwexwgxwjxwkxwlxwoxwrxwtxwwxxbxxkxxmxxrxxtxyaxybxyj\
    xykxylxytxyyxzhxzmxzpyaayabyacyadyaeyafyagyahyaiyajyakyalyamyanyaoyapyaqyaryasyatyauyavyawyaxyay\
    yazybaybbybdybeybhybiybjybkyblybmybnyboybxybyychyclycnycpycrydayddydeydgydkydsyeayecyeeyeiyejyel\
    yenyeryesyetyeuyevyeyygaygiyglygmygpygrygsyguygwyhayhdyhlyhsyiayifyigyihyiiyijyikyilyimyinyipyiq\
    yiryisyityiuyivyixyiyyizykaykgykhykiykkyklykmyknykoykryktykuykyylaylbyleylgyliyllylmylnyloylrylu\
    ylyymaymbymcymdymeymgymhymiymkymlymmymnymoympymqymrymsymtymxymzynaynbyndyneyngynhynkynlynnynoynq\
    ynsynuyobyogyoiyokyolyomyonyosyotyoxyoyypaypbypgyphypkypmypnypoyppypzyrayrbyreyriyrkyrlyrmyrnyro\
    yrsyrwyryyscysdysgyslysmysnysoyspysryssysyytaytlytpytwytyyuayubyucyudyueyufyugyuiyujyukyulyumyun\
    yupyuqyuryutyuuyuwyuxyuyyuzyvayvtywaywgywlywnywqywrywtywuywwyxayxgyxlyxmyxuyxyyyryyuyyzyzgyzkzaa\
    zabzaczadzaezafzagzahzaizajzakzalzamzaozapzaqzarzaszatzauzavzawzaxzayzazzbazbczbezblzbtzbuzbwzca\
    zcdzchzdjzeazegzehzemzenzgazgbzghzgmzgnzgrzhbzhdzhizhkzhnzhwzhxziazibzikzilzimzinzirziwzizzkazkb\
    zkdzkgzkhzkkzknzkozkpzkrzktzkuzkvzkzzlazlezljzlmzlnzlqzlszluzlwzmazmbzmczmdzmezmfzmgzmhzmizmjzmk\
    zmlzmmzmnzmozmpzmqzmrzmszmtzmuzmvzmwzmxzmyzmzznazndznezngznkznszoczohzomzoozoqzorzoszpazpbzpczpd\
    zpezpfzpgzphzpizpjzpkzplzpmzpnzpozppzpqzprzpszptzpuzpvzpwzpxzpyzpzzqezrazrgzrnzrozrpzrszsazskzsl\
    zsmzsrzsuzteztgztlztmztnztpztqztszttztuztxztyzuazuhzumzunzuyzwazxxzybzygzyjzynzypzzazzj";

/// Extended languages, by the language before them.
pub(super) const EXTENDED_LANGUAGES: [(&str, &str); 8] = [
    (
        "ar",
        "aaoabhabvacmacqacwacxacyadfaebaecafbajpapcapdarbarqarsaryarzauzavlayhaylaynaypbbzpgashussh",
    ),
    ("kok", "gomknn"),
    ("lv", "ltglvs"),
    (
        "ms",
        "bjnbtjbvebvucoaduphjijakjaxkvbkvrkxdlcelcfliwmaxmeomfamfbminmqgmsimuiornorspelpsetmwurkvkkvktxmmzlmzmizsm",
    ),
    (
        "sgn",
        "adsaedaenafgajsaseasfaspasqaswbfibfkbogbqnbqybvlbzscdscsccsdcsecsfcsgcslcsncsqcsrcsxdoqdsedsldszdylecsehseslesnesoethfcsfsefslfssgdsgsegsggsmgssgushabhafhdshkshoshpshshhslicliksilsinlinsiseisgisrjcsjhsjksjlsjosjsljuskgikvklbslgsllslsblsclsglsllsnlsolsplstlsvlswlsylwsmdlmfsmremsdmsrmzcmzgmzynbsncsnsinslnspnsrnzsoklpgzpksprlprzpscpsdpsgpslpsopsppsrpysribrmsrnbrsirslrsmrsnsdlsfbsfssggsgxslfslssqksqssqxsspssrsvkswlsyyszstsetsmtsqtsstsytzaugnugyukluksvgtvsivslvsvwbsxkixmlxmsydsygsyhsyslysmzhkzibzsl",
    ),
    ("sw", "swcswh"),
    ("uz", "uznuzs"),
    ("zh", "cdocjycmncnpcpxcspczhczoganhakhnmhsnluhlzhmnpnansjcwuuyue"),
];

/// Scripts.
pub(super) const SCRIPTS: &str = "\
    adlmafakaghbahomarabaranarmiarmnavstbalibamubassbatkbengberfbhksblisbopobrahbraibugibuhdcakmcans\
    carichamcherchischrscirtcoptcpmncprtcyrlcyrsdevadiakdogrdsrtduplegydegyhegypelbaelymethigarageok\
    georglaggonggonmgothgrangrekgujrgukhguruhanbhanghanihanohanshanthatrhebrhirahluwhmnghmnphntlhrkt\
    hungindsitaljamojavajpanjurckalikanakawikharkhmrkhojkitlkitskndakorekpelkraikthilanalaoolatflatg\
    latnlekelepclimblinalinblisulomalycilydimahjmakamandmanimarcmayamedfmendmercmeromlymmodimongmoon\
    mroomteimultmymrnagmnandnarbnbatnewankdbnkgbnkoonshuogamolckonaoorkhoryaosgeosmaougrpalmpaucpcun\
    pelmpermphagphliphlpphlvphnxpiqdplrdprtipsinqaaaqaabqaacqaadqaaeqaafqaagqaahqaaiqaajqaakqaalqaam\
    qaanqaaoqaapqaaqqaarqaasqaatqaauqaavqaawqaaxqaayqaazqabaqabbqabcqabdqabeqabfqabgqabhqabiqabjqabk\
    qablqabmqabnqaboqabpqabqqabrqabsqabtqabuqabvqabwqabxranjrjngrohgrororunrsamrsarasarbsaursealsgnw\
    shawshrdshuisiddsidtsindsinhsogdsogosorasoyosundsunusylosyrcsyresyrjsyrntagbtakrtaletalutamltang\
    tavttayotelutengtfngtglgthaathaitibttirhtnsatodrtolstototutgugarvaiivispvithwarawchowolexpeoxsux\
    yeziyiiizanbzinhzmthzsyezsymzxxxzyyyzzzz";

/// Countries.
pub(super) const REGIONS_OF_LETTERS: &str = "\
    aaacadaeafagaialamanaoaqarasatauawaxazbabbbdbebfbgbhbibjblbmbnbobqbrbsbtbubvbwbybzcacccdcfcgchci\
    ckclcmcncocpcqcrcscucvcwcxcyczdddedgdjdkdmdodzeaeceeegehereseteuezfifjfkfmfofrfxgagbgdgegfggghgi\
    glgmgngpgqgrgsgtgugwgyhkhmhnhrhthuicidieiliminioiqirisitjejmjojpkekgkhkikmknkpkrkwkykzlalblclilk\
    lrlsltlulvlymamcmdmemfmgmhmkmlmmmnmompmqmrmsmtmumvmwmxmymznancnenfngninlnonpnrntnunzompapepfpgph\
    pkplpmpnprpsptpwpyqaqmqnqoqpqqqrqsqtquqvqwqxqyqzrerorsrurwsasbscsdsesgshsisjskslsmsnsosrssstsusv\
    sxsysztatctdtftgthtjtktltmtntotptrtttvtwtzuaugumunusuyuzvavcvevgvivnvuwfwsxaxbxcxdxexfxgxhxixjxk\
    xlxmxnxoxpxqxrxsxtxuxvxwxxxyxzydyeytyuzazmzrzwzz";

/// Parts of the world.
pub(super) const REGIONS_OF_DIGITS: &str = "\
    001002003005009011013014015017018019021029030034035039053054057061142143145150151154155202419";

/// Variants.
pub(super) const VARIANTS: [&str; 139] = [
    "1606nict", "1694acad", "1901", "1959acad", "1994", "1996", "abl1943", "akhmimic", "akuapem",
    "alalc97", "aluku", "anpezo", "ao1990", "aranes", "arevela", "arevmda", "arkaika", "asante",
    "auvern", "baku1926", "balanka", "barla", "basiceng", "bauddha", "bciav", "bcizbl", "biscayan",
    "biske", "blasl", "bohairic", "bohoric", "boont", "bornholm", "cisaup", "colb1945", "cornu",
    "creiss", "dajnko", "ekavsk", "emodeng", "fascia", "fayyumic", "fodom", "fonipa", "fonkirsh",
    "fonnapa", "fonupa", "fonxsamp", "gallo", "gascon", "gherd", "grclass", "grital", "grmistr",
    "hanoi", "hepburn", "heploc", "hognorsk", "hsistemo", "huett", "ijekavsk", "itihasa",
    "ivanchov", "jauer", "jyutping", "kkcor", "kleinsch", "kociewie", "kscor", "laukika",
    "leidentr", "lemosin", "lengadoc", "lipaw", "ltg1929", "ltg2007", "luna1918", "lycopol",
    "mdcegyp", "mdctrans", "mesokem", "metelko", "moderat", "monoton", "ndyuka", "nedis",
    "newfound", "nicard", "njiva", "nulik", "osojs", "oxendict", "pahawh2", "pahawh3", "pahawh4",
    "pamaka", "peano", "pehoeji", "petr1708", "pinyin", "polyton", "provenc", "puter", "radikalt",
    "rigik", "rozaj", "rumgr", "sahidic", "saigon", "scotland", "scouse", "simple", "slepe",
    "solba", "sotav", "spanglis", "stadi", "surmiran", "sursilv", "sutsilv", "synnejyl", "taglish",
    "tailo", "tarask", "tongyong", "tunumiit", "uccor", "ucrcor", "ulster", "unifon", "vaidika",
    "valbadia", "valencia", "vallader", "vecdruka", "viennese", "vivaraup", "wadegile", "xsistemo",
];

/// Whole tags, grandfathered or redundant, that another takes the place of.
pub(super) const TAGS: [(&str, &str); 40] = [
    ("art-lojban", "jbo"),
    ("en-gb-oed", "en-GB-oxendict"),
    ("i-ami", "ami"),
    ("i-bnn", "bnn"),
    ("i-hak", "hak"),
    ("i-klingon", "tlh"),
    ("i-lux", "lb"),
    ("i-navajo", "nv"),
    ("i-pwn", "pwn"),
    ("i-tao", "tao"),
    ("i-tay", "tay"),
    ("i-tsu", "tsu"),
    ("no-bok", "nb"),
    ("no-nyn", "nn"),
    ("sgn-be-fr", "sfb"),
    ("sgn-be-nl", "vgt"),
    ("sgn-br", "bzs"),
    ("sgn-ch-de", "sgg"),
    ("sgn-co", "csn"),
    ("sgn-de", "gsg"),
    ("sgn-dk", "dsl"),
    ("sgn-es", "ssp"),
    ("sgn-fr", "fsl"),
    ("sgn-gb", "bfi"),
    ("sgn-gr", "gss"),
    ("sgn-ie", "isg"),
    ("sgn-it", "ise"),
    ("sgn-jp", "jsl"),
    ("sgn-mx", "mfs"),
    ("sgn-ni", "ncs"),
    ("sgn-nl", "dse"),
    ("sgn-no", "nsl"),
    ("sgn-pt", "psr"),
    ("sgn-se", "swl"),
    ("sgn-us", "ase"),
    ("sgn-za", "sfs"),
    ("zh-guoyu", "cmn"),
    ("zh-hakka", "hak"),
    ("zh-min-nan", "nan"),
    ("zh-xiang", "hsn"),
];

/// Languages that are deprecated for another.
pub(super) const SUCCESSORS: [(&str, &str); 112] = [
    ("aam", "aas"),
    ("adp", "dz"),
    ("ajp", "apc"),
    ("ajt", "aeb"),
    ("asd", "snz"),
    ("aue", "ktz"),
    ("ayx", "nun"),
    ("bgm", "bcg"),
    ("bh", "bih"),
    ("bic", "bir"),
    ("bjd", "drl"),
    ("blg", "iba"),
    ("ccq", "rki"),
    ("cjr", "mom"),
    ("cka", "cmr"),
    ("cmk", "xch"),
    ("coy", "pij"),
    ("cqu", "quh"),
    ("dek", "sqm"),
    ("dit", "dif"),
    ("drh", "khk"),
    ("drr", "kzk"),
    ("drw", "prs"),
    ("gav", "dev"),
    ("gfx", "vaj"),
    ("ggn", "gvr"),
    ("gli", "kzk"),
    ("gti", "nyc"),
    ("guv", "duz"),
    ("hrr", "jal"),
    ("ibi", "opa"),
    ("ilw", "gal"),
    ("in", "id"),
    ("iw", "he"),
    ("jeg", "oyb"),
    ("ji", "yi"),
    ("jw", "jv"),
    ("kgc", "tdf"),
    ("kgh", "kml"),
    ("kgm", "plu"),
    ("koj", "kwv"),
    ("krm", "bmf"),
    ("ktr", "dtp"),
    ("kvs", "gdj"),
    ("kwq", "yam"),
    ("kxe", "tvd"),
    ("kxl", "kru"),
    ("kzj", "dtp"),
    ("kzt", "dtp"),
    ("lak", "ksp"),
    ("lii", "raq"),
    ("llo", "ngt"),
    ("lmm", "rmx"),
    ("meg", "cir"),
    ("mo", "ro"),
    ("mrd", "mgp"),
    ("mst", "mry"),
    ("mwj", "vaj"),
    ("myd", "aog"),
    ("myt", "mry"),
    ("nad", "xny"),
    ("ncp", "kdz"),
    ("nns", "nbr"),
    ("nnx", "ngv"),
    ("nom", "cbr"),
    ("nte", "eko"),
    ("nts", "pij"),
    ("nxu", "bpp"),
    ("oun", "vaj"),
    ("pat", "kxr"),
    ("pcr", "adx"),
    ("pmc", "huw"),
    ("pmk", "crr"),
    ("pmu", "phr"),
    ("ppa", "bfy"),
    ("ppr", "lcq"),
    ("prp", "gu"),
    ("pry", "prt"),
    ("puz", "pub"),
    ("sca", "hle"),
    ("shl", "mrh"),
    ("skk", "oyb"),
    ("smd", "kmb"),
    ("snb", "iba"),
    ("szd", "umi"),
    ("tdu", "dtp"),
    ("thc", "tpo"),
    ("thw", "ola"),
    ("thx", "oyb"),
    ("tie", "ras"),
    ("tkk", "twm"),
    ("tlw", "weo"),
    ("tmk", "tdg"),
    ("tmp", "tyj"),
    ("tne", "kak"),
    ("tnf", "prs"),
    ("tpw", "tpn"),
    ("tsf", "taj"),
    ("uok", "ema"),
    ("xba", "cax"),
    ("xia", "acn"),
    ("xkh", "waw"),
    ("xrq", "dmw"),
    ("xss", "zko"),
    ("ybd", "rki"),
    ("yma", "lrr"),
    ("ymt", "mtm"),
    ("yol", "enm"),
    ("yos", "zom"),
    ("yuu", "yug"),
    ("zir", "scv"),
    ("zkb", "kjh"),
];

/// Countries that are deprecated for another.
pub(super) const REGION_SUCCESSORS: [(&str, &str); 6] =
    [("bu", "MM"), ("dd", "DE"), ("fx", "FR"), ("tp", "TL"), ("yd", "YE"), ("zr", "CD")];

/// Variants that are deprecated for another.
pub(super) const VARIANT_SUCCESSORS: [(&str, &str); 1] = [("heploc", "alalc97")];
